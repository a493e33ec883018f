/* Takes memory and touches it until somebody stops it. */
#include "victim.h"

int main(void) {
  heapgauge_status (*write_report)(void) = NULL;
  *(void**)&write_report = victim_api("heapgauge_write_report");
  for (int i = 0; i < 100; ++i) memset(malloc(100000), 1, 100000);
  if (write_report != NULL) VICTIM_REQUIRE(write_report() == HEAPGAUGE_OK);
  puts("one report");
  fflush(stdout);
  for (;;) {
    void* const block = malloc(100000);
    VICTIM_REQUIRE(block != NULL);
    memset(block, 1, 100000);
  }
}
