/* The C API at run time: interval changes, stop and start, snapshots and reports from several threads, wrong use. */
#include <errno.h>
#include <pthread.h>
#include <sys/stat.h>

#include "victim.h"

#define API(type, name, arguments) static type(*name) arguments
API(const char*, version, (void));
API(const char*, status_text, (heapgauge_status));
API(heapgauge_status, start, (void));
API(heapgauge_status, stop, (void));
API(int, is_running, (void));
API(heapgauge_status, set_interval, (uint64_t));
API(uint64_t, get_interval, (void));
API(heapgauge_status, take_snapshot, (heapgauge_snapshot*, size_t));
API(void, snapshot_free, (heapgauge_snapshot*));
API(heapgauge_status, write_report, (void));
API(const char*, report_directory, (void));

static int find_api(void) {
  static const struct {
    void** to;
    const char* name;
  } entries[] = {{(void**)&version, "heapgauge_version"},
                 {(void**)&status_text, "heapgauge_status_text"},
                 {(void**)&start, "heapgauge_start"},
                 {(void**)&stop, "heapgauge_stop"},
                 {(void**)&is_running, "heapgauge_is_running"},
                 {(void**)&set_interval, "heapgauge_set_sample_interval"},
                 {(void**)&get_interval, "heapgauge_get_sample_interval"},
                 {(void**)&take_snapshot, "heapgauge_take_snapshot"},
                 {(void**)&snapshot_free, "heapgauge_snapshot_free"},
                 {(void**)&write_report, "heapgauge_write_report"},
                 {(void**)&report_directory, "heapgauge_report_directory"}};
  int found = 0;
  for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); ++i) {
    *entries[i].to = victim_api(entries[i].name);
    found += *entries[i].to != NULL;
  }
  VICTIM_REQUIRE(found == 0 || found == (int)(sizeof(entries) / sizeof(entries[0])));
  return found != 0;
}

static void** allocate(size_t count, size_t bytes) {
  void** const blocks = malloc(count * sizeof(void*));
  VICTIM_REQUIRE(blocks != NULL);
  for (size_t i = 0; i < count; ++i) VICTIM_REQUIRE((blocks[i] = malloc(bytes)) != NULL);
  return blocks;
}

static void release(void** blocks, size_t count) {
  for (size_t i = 0; i < count; ++i) free(blocks[i]);
  free(blocks);
}

/* Live bytes of the executable's own sites, less what was there before. */
static double own_bytes(double before) { return victim_take_account().live_bytes - before; }

static void wrong_use(void) {
  errno = 77;
  VICTIM_REQUIRE(set_interval(0) == HEAPGAUGE_BAD_ARGUMENT);
  VICTIM_REQUIRE(set_interval((uint64_t)1 << 41) == HEAPGAUGE_BAD_ARGUMENT);
  VICTIM_REQUIRE(set_interval(UINT64_MAX) == HEAPGAUGE_BAD_ARGUMENT);
  VICTIM_REQUIRE(take_snapshot(NULL, 10) == HEAPGAUGE_BAD_ARGUMENT);
  heapgauge_snapshot snapshot;
  memset(&snapshot, 0, sizeof(snapshot));
  VICTIM_REQUIRE(take_snapshot(&snapshot, 10) == HEAPGAUGE_BAD_ARGUMENT);
  snapshot.size = sizeof(snapshot) + 8;
  VICTIM_REQUIRE(take_snapshot(&snapshot, 10) == HEAPGAUGE_BAD_ARGUMENT);
  snapshot_free(NULL);
  snapshot.size = sizeof(snapshot);
  VICTIM_REQUIRE(take_snapshot(&snapshot, 0) == HEAPGAUGE_OK);
  VICTIM_REQUIRE(snapshot.site_count == 0 && snapshot.sites == NULL &&
                 snapshot.size == sizeof(snapshot));
  snapshot_free(&snapshot);
  snapshot_free(&snapshot);
  VICTIM_REQUIRE(take_snapshot(&snapshot, 10) == HEAPGAUGE_OK && snapshot.site_count <= 10);
  for (size_t i = 0; i < snapshot.site_count; ++i)
    VICTIM_REQUIRE(snapshot.sites[i].size == sizeof(heapgauge_site));
  snapshot_free(&snapshot);
  VICTIM_REQUIRE(strcmp(version(), "0.1.0") == 0);
  for (int status = -1; status < 7; ++status)
    VICTIM_REQUIRE(strlen(status_text((heapgauge_status)status)) > 1);
  VICTIM_REQUIRE(errno == 77);
}

static void stop_and_start(void) {
  VICTIM_REQUIRE(set_interval(1) == HEAPGAUGE_OK && get_interval() == 1);
  const double before = own_bytes(0);
  void** const known = allocate(100, 1000);
  const double known_bytes = 100 * 1000 + 100 * sizeof(void*);
  VICTIM_REQUIRE(own_bytes(before) == known_bytes);
  VICTIM_REQUIRE(is_running() == 1 && stop() == HEAPGAUGE_OK && is_running() == 0);
  void** const unknown = allocate(100, 1000);
  VICTIM_REQUIRE(own_bytes(before) == known_bytes);
  /* Frees are seen while it is off. */
  for (int i = 0; i < 50; ++i) free(known[i]);
  VICTIM_REQUIRE(own_bytes(before) == known_bytes - 50 * 1000);
  VICTIM_REQUIRE(start() == HEAPGAUGE_OK && is_running() == 1);
  release(unknown, 100);
  VICTIM_REQUIRE(own_bytes(before) == known_bytes - 50 * 1000);
  for (int i = 50; i < 100; ++i) free(known[i]);
  free(known);
  VICTIM_REQUIRE(own_bytes(before) == 0);
}

/* Blocks born at three intervals, alive together: the estimate stays unbiased, and each is found at its death. */
static void change_interval(void) {
  VICTIM_REQUIRE(set_interval(1) == HEAPGAUGE_OK);
  const double before = own_bytes(0);
  void** const exact = allocate(2000, 500);
  VICTIM_REQUIRE(set_interval(4096) == HEAPGAUGE_OK && get_interval() == 4096);
  void** const fine = allocate(20000, 500);
  VICTIM_REQUIRE(set_interval(65536) == HEAPGAUGE_OK);
  void** const coarse = allocate(20000, 500);
  VICTIM_REQUIRE(set_interval(1) == HEAPGAUGE_OK);
  void** const again = allocate(2000, 500);
  const double truth = 44000.0 * (500 + sizeof(void*));
  const double variance = 20000 * 508.0 * 4096 + 20000 * 508.0 * 65536;
  const double off = own_bytes(before) - truth;
  if (off * off > 36 * variance) {
    dprintf(2, "the estimate is %.0f bytes off\n", off);
    _exit(3);
  }
  VICTIM_REQUIRE(set_interval(4096) == HEAPGAUGE_OK);
  release(exact, 2000);
  release(coarse, 20000);
  VICTIM_REQUIRE(set_interval(1 << 20) == HEAPGAUGE_OK);
  release(again, 2000);
  release(fine, 20000);
  VICTIM_REQUIRE(own_bytes(before) == 0);
}

static void* steers(void* argument) {
  const size_t me = (size_t)argument;
  for (int i = 0; i < 40; ++i) {
    heapgauge_snapshot snapshot;
    memset(&snapshot, 0, sizeof(snapshot));
    snapshot.size = sizeof(snapshot);
    VICTIM_REQUIRE(take_snapshot(&snapshot, me % 2 == 0 ? SIZE_MAX : 3) == HEAPGAUGE_OK);
    for (size_t k = 1; k < snapshot.site_count; ++k) {
      VICTIM_REQUIRE(snapshot.sites[k - 1].live_bytes >= snapshot.sites[k].live_bytes);
      VICTIM_REQUIRE(snapshot.sites[k].frame_count >= 1 && snapshot.sites[k].frames[0] != NULL);
    }
    snapshot_free(&snapshot);
    if (i % 8 == 0) VICTIM_REQUIRE(write_report() == HEAPGAUGE_OK);
    if (me == 0) VICTIM_REQUIRE(set_interval(i % 2 == 0 ? 1 : 4096) == HEAPGAUGE_OK);
    if (me == 1) VICTIM_REQUIRE((i % 2 == 0 ? stop() : start()) == HEAPGAUGE_OK);
    for (int k = 0; k < 500; ++k) free(malloc(3000));
  }
  return NULL;
}

int main(void) {
  if (find_api()) {
    wrong_use();
    VICTIM_REQUIRE(start() == HEAPGAUGE_OK); /* HEAPGAUGE_START may say off */
    const uint64_t interval = get_interval();
    stop_and_start();
    change_interval();
    pthread_t threads[4];
    for (size_t i = 0; i < 4; ++i)
      VICTIM_REQUIRE(pthread_create(&threads[i], NULL, steers, (void*)i) == 0);
    for (size_t i = 0; i < 4; ++i) pthread_join(threads[i], NULL);
    VICTIM_REQUIRE(start() == HEAPGAUGE_OK && write_report() == HEAPGAUGE_OK);
    struct stat info;
    char path[4200];
    VICTIM_REQUIRE(report_directory() != NULL);
    snprintf(path, sizeof(path), "%s/report.txt", report_directory());
    VICTIM_REQUIRE(stat(path, &info) == 0 && info.st_size > 100 && (info.st_mode & 0777) == 0600);
    VICTIM_REQUIRE(stat(report_directory(), &info) == 0 && (info.st_mode & 0777) == 0700);
    VICTIM_REQUIRE(set_interval(interval) == HEAPGAUGE_OK);
  }
  puts("steering done");
  return 0;
}
