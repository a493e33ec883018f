// A tracker of its own for a test, with a thread's state, and stacks that are one frame deep.
#ifndef HEAPGAUGE_TESTS_UNIT_TRACK_HARNESS_H_
#define HEAPGAUGE_TESTS_UNIT_TRACK_HARNESS_H_

#include <cstddef>
#include <cstdint>
#include <map>

#include "track/tracker.h"
#include "track/weights.h"

namespace heapgauge::test {

// Callers that are on no stack: a capture yields them alone, so each is a site (CutAtCaller).
inline void* Caller(uintptr_t number) { return reinterpret_cast<void*>((number + 1) << 20); }
inline uintptr_t CallerNumber(uintptr_t frame) { return (frame >> 20) - 1; }

inline void* Block(uintptr_t address) { return reinterpret_cast<void*>(address); }

inline constexpr int64_t kObject = 65'536;  // one, in kObjectsUnit

inline int64_t Objects(const SiteCounters& counters) {
  return static_cast<int64_t>(counters.samples) * kObject + counters.unseen_objects;
}

// Sums of one site, in the counters' own units.
struct SiteSums {
  int64_t allocated_bytes = 0;
  int64_t freed_bytes = 0;
  int64_t allocated_objects = 0;
  int64_t freed_objects = 0;
  uint64_t allocated_samples = 0;
  uint64_t freed_samples = 0;
  uint64_t deaths = 0;
  // From the live table.
  int64_t live_bytes = 0;
  int64_t live_objects = 0;
  uint64_t live_samples = 0;

  bool operator==(const SiteSums&) const = default;
};

class Harness final {
 public:
  explicit Harness(uint64_t interval, uint64_t memory_limit = uint64_t{64} << 20,
                   UnwindMode unwind = UnwindMode::kFramePointers) {
    Options options;
    options.sample_interval_bytes = interval;
    options.memory_limit_bytes = memory_limit;
    options.unwind = unwind;
    ok_ = tracker_.Initialize(options, control_, self_);
  }

  bool ok() const { return ok_; }
  Tracker& tracker() { return tracker_; }
  Control& control() { return control_; }
  ThreadState& self() { return self_; }

  // What the hooks do: `block` is what the next allocator returned.
  void Malloc(uintptr_t block, size_t bytes, uintptr_t caller) {
    const uint64_t now = tracker_.interval_bytes();
    if (!self_.sampler.Crosses(bytes)) return;
    const uint64_t interval = self_.sampler.TakeSample(bytes, now);
    if (interval == 0 || !tracker_.recording()) return;
    tracker_.Record(self_, Block(block), bytes, interval, Caller(caller));
  }
  void Free(uintptr_t block) {
    if (control_.MayBeSampled(block)) tracker_.Forget(Block(block));
  }

  // By number of caller; sites that never counted anything are left out.
  std::map<uintptr_t, SiteSums> Sites() const {
    std::map<uintptr_t, SiteSums> sums;
    for (uint32_t index = 0; index < tracker_.sites().size(); ++index) {
      const StoredSite* const site = tracker_.sites().At(index);
      if (site == nullptr || site->allocated.samples == 0) continue;
      SiteSums& to = sums[NumberOf(*site)];
      to.allocated_bytes += site->allocated.bytes;
      to.freed_bytes += site->freed.bytes;
      to.allocated_objects += Objects(site->allocated);
      to.freed_objects += Objects(site->freed);
      to.allocated_samples += site->allocated.samples;
      to.freed_samples += site->freed.samples;
      for (const auto& deaths : site->deaths) to.deaths += deaths;
    }
    tracker_.live().ForEach([&](uintptr_t, const LiveSample& sample) {
      SiteSums& to = sums[NumberOf(*tracker_.sites().At(sample.site))];
      to.live_bytes += BytesShare(sample.bytes, sample.weight);
      to.live_objects += kObject + UnseenObjects(sample.weight);
      ++to.live_samples;
    });
    return sums;
  }
  SiteSums Site(uintptr_t caller) const {
    const auto sites = Sites();
    const auto found = sites.find(caller);
    return found == sites.end() ? SiteSums{} : found->second;
  }

  static constexpr uintptr_t kOverflow = UINTPTR_MAX;

 private:
  static uintptr_t NumberOf(const StoredSite& site) {
    return site.depth == 0 ? kOverflow : CallerNumber(site.frames()[0]);
  }

  Control control_;
  ThreadState self_;
  Tracker tracker_;
  bool ok_ = false;
};

}  // namespace heapgauge::test

#endif  // HEAPGAUGE_TESTS_UNIT_TRACK_HARNESS_H_
