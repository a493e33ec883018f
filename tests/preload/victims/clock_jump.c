/* Preloaded behind heapgauge: a wall clock that is put forward by thirty days half a second after the start, and back
 * again half a second later. */
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { kDays = 30 };

int clock_gettime(clockid_t clock, struct timespec* now) {
  static struct timespec start;
  const long result = syscall(SYS_clock_gettime, clock, now);
  if (result != 0 || clock != CLOCK_REALTIME) return (int)result;
  if (start.tv_sec == 0) start = *now;
  const double past = (double)(now->tv_sec - start.tv_sec) + (double)(now->tv_nsec - start.tv_nsec) * 1e-9;
  if (past > 0.5 && past < 1) now->tv_sec += kDays * 86400L;
  return 0;
}

time_t time(time_t* out) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (out != NULL) *out = now.tv_sec;
  return now.tv_sec;
}
