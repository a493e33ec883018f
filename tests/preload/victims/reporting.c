/* Makes reports; argv[1] says how.  "plain": two and the final one.  "asked": one, then one for every character but
 * '0' that it reads, printing each one's status (0 when heapgauge is not here). */
#include "victim.h"

static heapgauge_status (*write_report)(void);

static int report(void) {
  for (int i = 0; i < 200; ++i) {
    VICTIM_REQUIRE(malloc(1000) != NULL);
    victim_hold(1000);
  }
  return write_report != NULL ? (int)write_report() : 0;
}

int main(int argc, char** argv) {
  *(void**)&write_report = victim_api("heapgauge_write_report");
  report();
  if (argc > 1 && strcmp(argv[1], "asked") == 0) {
    char asked;
    while (read(0, &asked, 1) == 1 && asked != '0') dprintf(1, "%d\n", report());
    return 0;
  }
  report();
  return 0;
}
