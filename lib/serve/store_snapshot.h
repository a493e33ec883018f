// The stores at one moment, as values: one walk of the live table, one pass over the sites.
//
// Application threads go on meanwhile: each row is consistent, the set is not one instant.
#ifndef HEAPGAUGE_SERVE_STORE_SNAPSHOT_H_
#define HEAPGAUGE_SERVE_STORE_SNAPSHOT_H_

#include <cstdint>
#include <functional>
#include <vector>

#include "analyze/observation.h"
#include "track/tracker.h"

namespace heapgauge {

struct SiteSnapshot {
  uint32_t index = 0;  // SiteTable index
  SiteObservation observation;
};

struct StoreSnapshot {
  double time_s = 0;       // since tracking began
  SiteObservation totals;  // of all sites together
  uint64_t samples = 0;
  std::vector<SiteSnapshot> sites;  // those that ever had a sample, by index
  // Where not all sites were asked for, the rest of them together.
  SiteObservation others;
  size_t others_count = 0;
};

// A site is 640 bytes here, and in exact mode there may be a hundred thousand of them.
struct SiteSelection {
  size_t most = SIZE_MAX;  // of more sites than that, only so many
  // These first; then those with the most live bytes.
  std::function<bool(const StoredSite& site)> preferred;
};

// May throw std::bad_alloc.
StoreSnapshot TakeStoreSnapshot(const Tracker& tracker, const SiteSelection& selection = {});

}  // namespace heapgauge

#endif  // HEAPGAUGE_SERVE_STORE_SNAPSHOT_H_
