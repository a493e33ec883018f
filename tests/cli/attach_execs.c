/* Becomes itself again and again: every MS milliseconds, COUNT times, then ends with status 17.
 *
 *   attach_execs MS COUNT
 *
 * Says on stdout how often it has, a line for each hundredth time. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  const long ms = atol(argv[1]);
  const long left = atol(argv[2]);
  if (left % 100 == 0) {
    printf("%ld\n", left);
    fflush(stdout);
  }
  if (left <= 0) return 17;
  const struct timespec pause = {ms / 1000, ms % 1000 * 1000000};
  nanosleep(&pause, NULL);
  void* volatile block = malloc(1000);
  free(block);
  char next[32];
  snprintf(next, sizeof(next), "%ld", left - 1);
  execl("/proc/self/exe", argv[0], argv[1], next, (char*)NULL);
  return 3;
}
