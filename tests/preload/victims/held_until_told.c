/* Allocates argv[1] blocks of 1000 bytes, says a dot, waits until its standard input ends, and returns.  With argv[2], a number, it
 * reports first and becomes itself again, that often: then without waiting. */
#include "victim.h"

int main(int argc, char** argv) {
  const int blocks = argc > 1 ? atoi(argv[1]) : 100;
  for (int i = 0; i < blocks; ++i) VICTIM_REQUIRE(malloc(1000) != NULL);
  if (argc > 2) {
    heapgauge_status (*write_report)(void);
    *(void**)&write_report = victim_api("heapgauge_write_report");
    if (write_report != NULL) write_report();
    const int again = atoi(argv[2]);
    if (again == 0) return 0;
    char left[16];
    snprintf(left, sizeof(left), "%d", again - 1);
    execl("/proc/self/exe", argv[0], argv[1], left, (char*)NULL);
    return 1;
  }
  char byte = '.';
  VICTIM_REQUIRE(write(1, &byte, 1) == 1);
  while (read(0, &byte, 1) > 0) {
  }
  return 0;
}
