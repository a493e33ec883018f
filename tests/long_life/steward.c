// Preloaded beside heapgauge by long_life.py: a thread in the host that steers heapgauge through its public API all the time,
// as an operator would: another sample interval, a snapshot, now and then a report.
//
// SOAK_STEWARD_MS      between two interventions
// SOAK_STEWARD_FORKED  set: also in forked children (nginx does its work in them)
#include <heapgauge/heapgauge.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>

#pragma weak heapgauge_set_sample_interval
#pragma weak heapgauge_take_snapshot
#pragma weak heapgauge_snapshot_free
#pragma weak heapgauge_write_report

static long g_pause_ms;

static void* Steer(void* unused) {
  static const unsigned long kIntervals[] = {512 * 1024, 4096, 64 * 1024, 16 * 1024};
  (void)unused;
  prctl(PR_SET_NAME, "steward");
  for (unsigned long turn = 0;; ++turn) {
    const struct timespec pause = {g_pause_ms / 1000, g_pause_ms % 1000 * 1000000};
    nanosleep(&pause, NULL);
    heapgauge_set_sample_interval(kIntervals[turn % (sizeof(kIntervals) / sizeof(kIntervals[0]))]);
    heapgauge_snapshot snapshot;
    memset(&snapshot, 0, sizeof(snapshot));
    snapshot.size = sizeof(snapshot);
    if (heapgauge_take_snapshot(&snapshot, 50) == HEAPGAUGE_OK) heapgauge_snapshot_free(&snapshot);
    if (turn % 8 == 5) heapgauge_write_report();
  }
  return NULL;
}

static void Start(void) {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);  // the host's signals are for the host
  pthread_t thread;
  if (pthread_create(&thread, NULL, Steer, NULL) == 0) pthread_detach(thread);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
}

__attribute__((constructor)) static void Begin(void) {
  const char* const pause = getenv("SOAK_STEWARD_MS");
  g_pause_ms = pause != NULL ? atol(pause) : 0;
  if (g_pause_ms <= 0 || heapgauge_set_sample_interval == NULL) return;
  Start();
  if (getenv("SOAK_STEWARD_FORKED") != NULL) pthread_atfork(NULL, NULL, Start);
}
