/* A library's file is replaced while the program runs, and what it keeps comes later.
 *   library_upgraded LIBRARY rename NEW   another file is renamed over it
 *   library_upgraded LIBRARY aside NEW    it gets another name first, as some package managers do
 *   library_upgraded LIBRARY removed */
#include "victim.h"

int main(int argc, char** argv) {
  VICTIM_REQUIRE(argc >= 3);
  const char* const path = argv[1];
  void* const module = dlopen(path, RTLD_NOW);
  VICTIM_REQUIRE(module != NULL);
  void* (*early)(size_t);
  void* (*late)(size_t);
  *(void**)&early = dlsym(module, "module_early");
  *(void**)&late = dlsym(module, "module_late");
  for (int i = 0; i < 100; ++i) VICTIM_REQUIRE(early(1000) != NULL);
  heapgauge_status (*const write_report)(void) = victim_api("heapgauge_write_report");

  char aside[4096];
  snprintf(aside, sizeof aside, "%s.old", path);
  if (strcmp(argv[2], "aside") == 0) VICTIM_REQUIRE(rename(path, aside) == 0);
  if (strcmp(argv[2], "removed") == 0) VICTIM_REQUIRE(unlink(path) == 0);
  if (argc > 3) VICTIM_REQUIRE(rename(argv[3], path) == 0);

  for (int i = 0; i < 2000; ++i) VICTIM_REQUIRE(late(1000) != NULL);
  if (write_report != NULL) VICTIM_REQUIRE(write_report() == HEAPGAUGE_OK);
  puts("done");
  return 0;
}
