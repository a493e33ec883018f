#include "serve/store_snapshot.h"

#include <algorithm>

#include "base/clock.h"
#include "track/weights.h"

namespace heapgauge {
namespace {

// Counters are read one by one while threads write them; a death counted between two reads must not
// make a site look as if more had died than were born, so deaths are read first.
void ReadCounters(const StoredSite& stored, SiteObservation& to) {
  // relaxed throughout: site_table.h.
  const auto bytes = [](const SiteCounters& counters) {
    return static_cast<double>(counters.bytes.load(std::memory_order_relaxed)) * kBytesUnit;
  };
  const auto objects = [](const SiteCounters& counters, uint64_t samples) {
    const int64_t unseen = counters.unseen_objects.load(std::memory_order_relaxed);
    return static_cast<double>(samples) + static_cast<double>(unseen) * kObjectsUnit;
  };
  for (size_t i = 0; i < kAgeBuckets; ++i) {
    to.deaths[i] = stored.deaths[i].load(std::memory_order_relaxed);
  }
  to.freed_bytes = bytes(stored.freed);
  to.freed_samples = stored.freed.samples.load(std::memory_order_relaxed);
  to.freed_objects = objects(stored.freed, to.freed_samples);
  to.freed_variance = stored.freed.variance.load(std::memory_order_relaxed);
  to.allocated_bytes = bytes(stored.allocated);
  to.allocated_samples = stored.allocated.samples.load(std::memory_order_relaxed);
  to.allocated_objects = objects(stored.allocated, to.allocated_samples);
  to.allocated_variance = stored.allocated.variance.load(std::memory_order_relaxed);
}

}  // namespace

StoreSnapshot TakeStoreSnapshot(const Tracker& tracker) {
  StoreSnapshot snapshot;
  const uint64_t now = MonotonicNs();
  const uint64_t uptime = now - tracker.start_ns();
  snapshot.time_s = static_cast<double>(uptime) * 1e-9;
  const uint32_t count = tracker.sites().size();
  snapshot.sites.resize(count);
  tracker.live().ForEach([&](uintptr_t, const LiveSample& sample) {
    if (sample.site >= count) return;  // interned after we looked
    SiteObservation& site = snapshot.sites[sample.site].observation;
    // In the units of the counters, so that live = allocated - freed to the last bit at quiet
    // points.
    site.live_bytes += static_cast<double>(BytesShare(sample.bytes, sample.weight)) * kBytesUnit;
    site.live_objects += 1 + static_cast<double>(UnseenObjects(sample.weight)) * kObjectsUnit;
    site.live_variance += VarianceShare(sample.bytes, sample.weight);
    ++site.live_samples;
    // In exact mode births are read from a clock that is some milliseconds behind, and the first
    // ones would be older than the tracker.
    const uint64_t age = now > sample.birth_ns ? std::min(now - sample.birth_ns, uptime) : 0;
    ++site.living[AgeBucket(age)];
    site.age_max_s = std::max(site.age_max_s, static_cast<double>(age) * 1e-9);
  });
  for (uint32_t index = 0; index < count; ++index) {
    SiteSnapshot& site = snapshot.sites[index];
    site.index = index;
    site.observation.time_s = snapshot.time_s;
    if (const StoredSite* const stored = tracker.sites().At(index)) {
      ReadCounters(*stored, site.observation);
    }
  }
  std::erase_if(snapshot.sites,
                [](const SiteSnapshot& site) { return site.observation.allocated_samples == 0; });
  snapshot.totals.time_s = snapshot.time_s;
  for (const SiteSnapshot& site : snapshot.sites) AddObservation(snapshot.totals, site.observation);
  snapshot.samples = snapshot.totals.allocated_samples;
  return snapshot;
}

}  // namespace heapgauge
