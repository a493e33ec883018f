#include "reporter/store_snapshot.h"

#include <algorithm>
#include <cstddef>
#include <functional>
#include <limits>
#include <numeric>

#include "base/clock.h"
#include "reporter/temporary_figures.h"
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
  to.unseen_deaths = stored.unseen_deaths.load(std::memory_order_relaxed);
  to.freed_bytes = bytes(stored.freed);
  to.freed_samples = stored.freed.samples.load(std::memory_order_relaxed);
  to.freed_objects = objects(stored.freed, to.freed_samples);
  to.freed_variance = stored.freed.variance.load(std::memory_order_relaxed);
  to.allocated_bytes = bytes(stored.allocated);
  to.allocated_samples = stored.allocated.samples.load(std::memory_order_relaxed);
  to.allocated_objects = objects(stored.allocated, to.allocated_samples);
  to.allocated_variance = stored.allocated.variance.load(std::memory_order_relaxed);
}

constexpr uint32_t kNotChosen = ~uint32_t{0};

// An allocator writes beside or into each block as it gives it out, but for large ones, which may
// come as untouched pages.
constexpr uint64_t kTouchedBytes = 4096;
constexpr uint64_t kOrdinaryBytes = 64 << 10;

// Adds a living sample to its site's observation.
void AddLiving(const LiveSample& sample, uint64_t now, uint64_t uptime, SiteObservation& site) {
  // In the units of the counters, so that live = allocated - freed to the last bit at quiet
  // points.
  site.live_bytes += static_cast<double>(BytesShare(sample.bytes, sample.weight)) * kBytesUnit;
  site.live_objects += 1 + static_cast<double>(UnseenObjects(sample.weight)) * kObjectsUnit;
  site.live_variance += VarianceShare(sample.bytes, sample.weight);
  ++site.live_samples;
  if (sample.bytes <= kOrdinaryBytes) {
    site.least_resident += static_cast<double>(std::min(sample.bytes, kTouchedBytes)) *
                           static_cast<double>(sample.weight);
  }
  // In exact mode births are read from a clock that is some milliseconds behind, and the first
  // ones would be older than the tracker.
  const uint64_t age = now > sample.birth_ns ? std::min(now - sample.birth_ns, uptime) : 0;
  ++site.living[AgeBucket(age)];
  site.age_max_s = std::max(site.age_max_s, static_cast<double>(age) * 1e-9);
}

void AddTaken(const LiveSample& sample, const AllocatorStats* allocator, StoreSnapshot& snapshot) {
  const uint64_t bytes = allocator != nullptr ? allocator->TakenFor(sample.bytes) : sample.bytes;
  const double taken = static_cast<double>(bytes) * static_cast<double>(sample.weight);
  snapshot.taken_bytes += taken;
  if (sample.bytes <= AllocatorStats::kLargestInArena) snapshot.taken_in_arenas += taken;
}

// The place of each site among those that are shown, by index; kNotChosen for the others.
std::vector<uint32_t> Choose(const Tracker& tracker, uint32_t count,
                             const SiteSelection& selection) {
  std::vector<uint32_t> place(count, kNotChosen);
  std::vector<float> live;
  if (count > selection.most) {
    live.resize(count, 0);
    tracker.live().ForEach([&](uintptr_t, const LiveSample& sample) {
      if (sample.site >= count) return;
      live[sample.site] += static_cast<float>(BytesShare(sample.bytes, sample.weight));
    });
    constexpr float kFirst = std::numeric_limits<float>::infinity();
    live[SiteTable::kOverflowIndex] = kFirst;
    for (uint32_t index = 0; index < count; ++index) {
      const StoredSite* const site = tracker.sites().At(index);
      if (site != nullptr && selection.preferred && selection.preferred(*site))
        live[index] = kFirst;
    }
    std::vector<float> ranked = live;
    const auto last = ranked.begin() + static_cast<std::ptrdiff_t>(selection.most - 1);
    std::nth_element(ranked.begin(), last, ranked.end(), std::greater<>());
    const float least = *last;
    // Of equals, as many as there is room for.
    size_t room = selection.most;
    for (const float bytes : live) room -= bytes > least ? 1 : 0;
    for (float& bytes : live) {
      if (bytes == least && room > 0) {
        bytes = kFirst;
        --room;
      }
    }
    uint32_t next = 0;
    for (uint32_t index = 0; index < count; ++index) {
      if (live[index] > least) place[index] = next++;
    }
    return place;
  }
  std::iota(place.begin(), place.end(), 0);
  return place;
}

}  // namespace

StoreSnapshot TakeStoreSnapshot(const Tracker& tracker, const SiteSelection& selection) {
  StoreSnapshot snapshot;
  const uint32_t count = tracker.sites().size();
  const std::vector<uint32_t> place = Choose(tracker, count, selection);
  const uint64_t now = MonotonicNs();
  const uint64_t uptime = tracker.UptimeNs(now);
  snapshot.time_s = static_cast<double>(uptime) * 1e-9;
  snapshot.sites.resize(std::min<size_t>(count, selection.most));
  tracker.live().ForEach([&](uintptr_t, const LiveSample& sample) {
    if (sample.site >= count) return;  // interned after we looked
    AddTaken(sample, selection.allocator, snapshot);
    if (selection.temporary != nullptr) selection.temporary->See(sample);
    const uint32_t at = place[sample.site];
    AddLiving(sample, now, uptime,
              at != kNotChosen  ? snapshot.sites[at].observation
              : selection.group ? snapshot.others_by_group[selection.group(sample.site)].observation
                                : snapshot.others);
  });
  snapshot.others.time_s = snapshot.time_s;
  for (uint32_t index = 0; index < count; ++index) {
    const StoredSite* const stored = tracker.sites().At(index);
    if (place[index] == kNotChosen) {
      SiteObservation born;
      if (stored != nullptr) ReadCounters(*stored, born);
      if (born.allocated_samples == 0) continue;
      ++snapshot.others_count;
      if (selection.group) {
        StoreSnapshot::Group& group = snapshot.others_by_group[selection.group(index)];
        AddObservation(group.observation, born);
        if (group.count++ == 0) group.first = index;
      } else {
        AddObservation(snapshot.others, born);
      }
      continue;
    }
    SiteSnapshot& site = snapshot.sites[place[index]];
    site.index = index;
    site.observation.time_s = snapshot.time_s;
    if (stored != nullptr) ReadCounters(*stored, site.observation);
  }
  for (auto& [id, group] : snapshot.others_by_group) {
    group.observation.time_s = snapshot.time_s;
    AddObservation(snapshot.others, group.observation);
  }
  // Interned while we looked.
  std::erase_if(snapshot.others_by_group, [](const auto& item) { return item.second.count == 0; });
  std::erase_if(snapshot.sites,
                [](const SiteSnapshot& site) { return site.observation.allocated_samples == 0; });
  snapshot.totals.time_s = snapshot.time_s;
  for (const SiteSnapshot& site : snapshot.sites) AddObservation(snapshot.totals, site.observation);
  AddObservation(snapshot.totals, snapshot.others);
  snapshot.samples = snapshot.totals.allocated_samples;
  return snapshot;
}

}  // namespace heapgauge
