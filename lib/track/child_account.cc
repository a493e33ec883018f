#include "track/child_account.h"

#include "track/weights.h"

namespace heapgauge {
namespace {

constexpr size_t kProbes = 4;

uint64_t Bytes(int64_t shares) noexcept {
  return shares > 0 ? static_cast<uint64_t>(shares) >> 8 : 0;  // kBytesUnit
}

}  // namespace

// relaxed throughout: sums on their own, read when their writers are done, or as a figure.

void ChildAccount::Begin(uint64_t now_ns) noexcept {
  since_ns_ = now_ns;
  allocated_.store(0, std::memory_order_relaxed);
  live_.store(0, std::memory_order_relaxed);
  for (Place& place : places_) {
    if (place.site_plus_one.load(std::memory_order_relaxed) == 0) continue;  // untouched: no write
    place.site_plus_one.store(0, std::memory_order_relaxed);
    place.allocated.store(0, std::memory_order_relaxed);
    place.live.store(0, std::memory_order_relaxed);
  }
  open_.store(true, std::memory_order_relaxed);
}

void ChildAccount::Count(const LiveSample& sample, int sign) noexcept {
  if (sample.birth_ns < since_ns_) return;  // the parent's
  const int64_t share = BytesShare(sample.bytes, sample.weight);
  if (sign > 0) allocated_.fetch_add(share, std::memory_order_relaxed);
  live_.fetch_add(sign * share, std::memory_order_relaxed);
  const uint32_t key = sample.site + 1;
  for (size_t i = 0; i < kProbes; ++i) {
    Place& place = places_[(sample.site + i) % kPlaces];
    uint32_t seen = place.site_plus_one.load(std::memory_order_relaxed);
    if (seen == 0 && sign > 0 &&
        place.site_plus_one.compare_exchange_strong(seen, key, std::memory_order_relaxed,
                                                    std::memory_order_relaxed)) {
      seen = key;
    }
    if (seen != key) continue;
    if (sign > 0) place.allocated.fetch_add(share, std::memory_order_relaxed);
    place.live.fetch_add(sign * share, std::memory_order_relaxed);
    return;
  }
}

ChildAccount::Sums ChildAccount::Read() const noexcept {
  Sums sums;
  sums.allocated_bytes = Bytes(allocated_.load(std::memory_order_relaxed));
  sums.live_bytes = Bytes(live_.load(std::memory_order_relaxed));
  int64_t most_live = -1;
  int64_t most_allocated = -1;
  for (const Place& place : places_) {
    const uint32_t key = place.site_plus_one.load(std::memory_order_relaxed);
    if (key == 0) continue;
    const int64_t live = place.live.load(std::memory_order_relaxed);
    const int64_t allocated = place.allocated.load(std::memory_order_relaxed);
    if (live < most_live || (live == most_live && allocated <= most_allocated)) continue;
    most_live = live;
    most_allocated = allocated;
    sums.site = key - 1;
    sums.site_live_bytes = Bytes(live);
  }
  return sums;
}

}  // namespace heapgauge
