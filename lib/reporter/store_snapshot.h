// The stores at one moment, as values: one walk of the live table, one pass over the sites.
//
// Application threads go on meanwhile: each row is consistent, the set is not one instant.
#ifndef HEAPGAUGE_REPORTER_STORE_SNAPSHOT_H_
#define HEAPGAUGE_REPORTER_STORE_SNAPSHOT_H_

#include <cstdint>
#include <functional>
#include <unordered_map>
#include <vector>

#include "analyze/observation.h"
#include "process/allocator_stats.h"
#include "track/tracker.h"

namespace heapgauge {

class TemporaryFigures;

struct SiteSnapshot {
  uint32_t index = 0;  // SiteTable index
  SiteObservation observation;
};

struct StoreSnapshot {
  double time_s = 0;       // since tracking began
  SiteObservation totals;  // of all sites together
  uint64_t samples = 0;
  // What the allocator takes for all that lives, with headers and rounding, and of it for blocks
  // that lie in its arenas; estimated [bytes].
  double taken_bytes = 0;
  double taken_in_arenas = 0;
  std::vector<SiteSnapshot> sites;  // those that ever had a sample, by index
  // Where not all sites were asked for, the rest of them together; and by SiteSelection::group.
  struct Group {
    SiteObservation observation;
    uint32_t count = 0;
    uint32_t first = 0;  // SiteTable index of one of them
  };
  SiteObservation others;
  size_t others_count = 0;
  std::unordered_map<uint64_t, Group> others_by_group;
};

// A site is 640 bytes here, and in exact mode there may be a hundred thousand of them.
struct SiteSelection {
  size_t most = SIZE_MAX;  // of more sites than that, only so many
  // These first; then those with the most live bytes.
  std::function<bool(const StoredSite& site)> preferred;
  // Of the rest, which are summed up together, by index; not set: the sum of all alone.
  std::function<uint64_t(uint32_t site)> group;
  // Whose figure StoreSnapshot::taken_bytes is; nullptr: it is the sum of what was asked for.
  const AllocatorStats* allocator = nullptr;
  // Sees the samples that are walked over, if it is set.
  TemporaryFigures* temporary = nullptr;
};

// May throw std::bad_alloc.
StoreSnapshot TakeStoreSnapshot(const Tracker& tracker, const SiteSelection& selection = {});

}  // namespace heapgauge

#endif  // HEAPGAUGE_REPORTER_STORE_SNAPSHOT_H_
