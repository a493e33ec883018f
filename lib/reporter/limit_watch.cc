#include "reporter/limit_watch.h"

namespace heapgauge {
namespace {

// Above this share of the limit the process may be at the mark within a second or two.
constexpr double kLookOftenShare = 0.7;
// Usage has left the mark when it has fallen this far below it.
constexpr double kLeftShare = 0.85;

}  // namespace

bool LimitWatch::MaySay(uint64_t now_ns) noexcept {
  if (count_ > 0) {
    const uint64_t last = said_ns_[(next_ + kMostADay - 1) % kMostADay];
    if (now_ns - last < kPauseNs) return false;
  }
  if (count_ == kMostADay && now_ns - said_ns_[next_] < kDayNs) return false;
  said_ns_[next_] = now_ns;
  next_ = (next_ + 1) % kMostADay;
  if (count_ < kMostADay) ++count_;
  return true;
}

bool LimitWatch::Passed(const MemoryLimit& limit, uint64_t now_ns) noexcept {
  const auto bytes = static_cast<double>(limit.limit_bytes);
  const auto usage = static_cast<double>(limit.usage_bytes);
  const bool was_near = near_;
  const bool first = !looked_;
  looked_ = true;
  pause_ns_ =
      usage >= kLookOftenShare * bytes && usage < kNearShare * bytes ? kPauseNearNs : kPauseFarNs;
  near_ = usage >= (was_near ? kLeftShare : kNearShare) * bytes;
  if (!near_ || was_near) return false;
  if (first && limit.source == "memory") return false;
  return MaySay(now_ns);
}

}  // namespace heapgauge
