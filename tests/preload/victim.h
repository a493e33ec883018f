/* What a victim knows of its own heap, and the check that heapgauge knows the same.
 *
 * A victim is an ordinary program: it runs bare as well, links nothing of heapgauge and finds the C
 * API, if it is there, with dlsym.  It counts what it keeps with victim_hold() and victim_drop();
 * the account that is compared is that of allocations whose caller lies in the executable itself,
 * for what the C library takes for its own use is not the victim's to know.
 *
 * Exit status 3: the account is wrong (said on stderr).  4: something else that must hold does not.
 * Any thread may call anything here. */
#ifndef HEAPGAUGE_TESTS_PRELOAD_VICTIM_H_
#define HEAPGAUGE_TESTS_PRELOAD_VICTIM_H_

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "heapgauge/heapgauge.h"

#define VICTIM_REQUIRE(condition)                                              \
  do {                                                                         \
    if (!(condition)) {                                                        \
      dprintf(2, "%s:%d: %s does not hold\n", __FILE__, __LINE__, #condition); \
      _exit(4);                                                                \
    }                                                                          \
  } while (0)

/* Set by the linker: where the executable's code lies. */
extern char __executable_start[];
extern char etext[];

static int64_t victim_held_bytes;
static int64_t victim_held_objects;

static inline void victim_hold(size_t bytes) {
  __atomic_fetch_add(&victim_held_bytes, (int64_t)bytes, __ATOMIC_RELAXED);
  __atomic_fetch_add(&victim_held_objects, 1, __ATOMIC_RELAXED);
}

static inline void victim_drop(size_t bytes) {
  __atomic_fetch_sub(&victim_held_bytes, (int64_t)bytes, __ATOMIC_RELAXED);
  __atomic_fetch_sub(&victim_held_objects, 1, __ATOMIC_RELAXED);
}

/* NULL in a bare run. */
static inline void* victim_api(const char* name) { return dlsym(RTLD_DEFAULT, name); }

typedef struct victim_account {
  uint64_t interval_bytes; /* 0: heapgauge is not here, and the rest is 0 too */
  double live_bytes;
  double live_objects;
  double age_max_s;
  uint64_t dropped;
} victim_account;

static inline int victim_is_own(const heapgauge_site* site) {
  const char* const leaf = site->frame_count != 0 ? (const char*)site->frames[0] : NULL;
  return leaf >= __executable_start && leaf <= etext;
}

/* The sites whose allocations were made by code of the executable itself. */
static inline victim_account victim_take_account(void) {
  victim_account account;
  memset(&account, 0, sizeof(account));
  heapgauge_status (*take)(heapgauge_snapshot*, size_t) = NULL;
  void (*release)(heapgauge_snapshot*) = NULL;
  *(void**)&take = victim_api("heapgauge_take_snapshot");
  *(void**)&release = victim_api("heapgauge_snapshot_free");
  if (take == NULL) return account;
  heapgauge_snapshot snapshot;
  memset(&snapshot, 0, sizeof(snapshot));
  snapshot.size = sizeof(snapshot);
  const heapgauge_status status = take(&snapshot, SIZE_MAX);
  if (status == HEAPGAUGE_NOT_AVAILABLE) return account; /* it stepped aside */
  VICTIM_REQUIRE(status == HEAPGAUGE_OK);
  account.interval_bytes = snapshot.interval_bytes;
  account.dropped = snapshot.dropped_samples;
  for (size_t i = 0; i < snapshot.site_count; ++i) {
    const heapgauge_site* const site = &snapshot.sites[i];
    if (!victim_is_own(site)) continue;
    account.live_bytes += site->live_bytes;
    account.live_objects += site->live_objects;
    if (site->age_max_s > account.age_max_s) account.age_max_s = site->age_max_s;
  }
  release(&snapshot);
  return account;
}

/* At a quiet point: what heapgauge says is alive is what victim_hold() and victim_drop() say.
 * Exactly, in exact mode; when nothing is held, exactly nothing in every mode; otherwise within six
 * standard deviations. */
static inline void victim_check(const char* where) {
  if (getenv("VICTIM_UNCHECKED") != NULL) return; /* parts of it are not tracked, on purpose */
  const victim_account account = victim_take_account();
  if (account.interval_bytes == 0) return;
  const double truth = (double)victim_held_bytes;
  const double difference =
      account.live_bytes > truth ? account.live_bytes - truth : truth - account.live_bytes;
  const double interval = (double)account.interval_bytes;
  int good;
  if (interval == 1 || truth == 0) {
    good =
        difference == 0 && (interval != 1 || account.live_objects == (double)victim_held_objects);
  } else {
    /* variance of the estimate <= truth * interval; squared, for there is no sqrt without libm */
    const double room = difference > 6 * interval ? difference - 6 * interval : 0;
    good = room * room <= 36 * truth * interval;
  }
  if (!good) {
    dprintf(2,
            "%s: holds %lld bytes in %lld blocks; heapgauge says %.0f in %.2f (interval %.0f, %llu "
            "dropped)\n",
            where, (long long)victim_held_bytes, (long long)victim_held_objects, account.live_bytes,
            account.live_objects, interval, (unsigned long long)account.dropped);
    _exit(3);
  }
}

/* Leaves what this process holds for the driver, who compares it with the final report.  As the
 * last thing. */
static inline void victim_truth(void) {
  const char* const prefix = getenv("VICTIM_TRUTH");
  char path[4096];
  VICTIM_REQUIRE(prefix != NULL);
  snprintf(path, sizeof(path), "%s.%d", prefix, (int)getpid());
  const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  VICTIM_REQUIRE(fd >= 0);
  dprintf(fd, "%lld %lld\n", (long long)victim_held_bytes, (long long)victim_held_objects);
  close(fd);
}

/* Checks now, and at the end against the final report. */
static inline void victim_finish(void) {
  victim_check("at the end");
  victim_truth();
}

#endif /* HEAPGAUGE_TESTS_PRELOAD_VICTIM_H_ */
