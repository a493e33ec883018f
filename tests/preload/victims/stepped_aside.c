/* heapgauge is loaded but has stepped aside: every call of its API says so, and none does harm. */
#include "victim.h"

int main(void) {
  heapgauge_status (*start)(void) = NULL;
  heapgauge_status (*stop)(void) = NULL;
  int (*is_running)(void) = NULL;
  heapgauge_status (*set_interval)(uint64_t) = NULL;
  uint64_t (*get_interval)(void) = NULL;
  heapgauge_status (*take)(heapgauge_snapshot*, size_t) = NULL;
  void (*release)(heapgauge_snapshot*) = NULL;
  heapgauge_status (*write_report)(void) = NULL;
  heapgauge_status (*find_holders)(void) = NULL;
  const char* (*directory)(void) = NULL;
  *(void**)&start = victim_api("heapgauge_start");
  *(void**)&stop = victim_api("heapgauge_stop");
  *(void**)&is_running = victim_api("heapgauge_is_running");
  *(void**)&set_interval = victim_api("heapgauge_set_sample_interval");
  *(void**)&get_interval = victim_api("heapgauge_get_sample_interval");
  *(void**)&take = victim_api("heapgauge_take_snapshot");
  *(void**)&release = victim_api("heapgauge_snapshot_free");
  *(void**)&write_report = victim_api("heapgauge_write_report");
  *(void**)&find_holders = victim_api("heapgauge_find_holders");
  *(void**)&directory = victim_api("heapgauge_report_directory");
  VICTIM_REQUIRE(start != NULL && directory != NULL);
  for (int i = 0; i < 1000; ++i) free(malloc(5000));
  VICTIM_REQUIRE(start() == HEAPGAUGE_NOT_AVAILABLE && stop() == HEAPGAUGE_NOT_AVAILABLE);
  VICTIM_REQUIRE(is_running() == 0 && set_interval(1) == HEAPGAUGE_NOT_AVAILABLE &&
                 get_interval() == 0);
  heapgauge_snapshot snapshot;
  memset(&snapshot, 1, sizeof(snapshot));
  snapshot.size = sizeof(snapshot);
  VICTIM_REQUIRE(take(&snapshot, 10) == HEAPGAUGE_NOT_AVAILABLE && snapshot.sites == NULL);
  release(&snapshot);
  VICTIM_REQUIRE(write_report() == HEAPGAUGE_NOT_AVAILABLE && directory() == NULL);
  VICTIM_REQUIRE(find_holders() == HEAPGAUGE_NOT_AVAILABLE);
  return 0;
}
