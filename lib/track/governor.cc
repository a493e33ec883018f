#include "track/governor.h"

#include <algorithm>

#include "sample/sampler.h"

namespace heapgauge {
namespace {

double ShareOf(uint64_t cpu_ns, uint64_t wall_ns) noexcept {
  return static_cast<double>(cpu_ns) / static_cast<double>(wall_ns);
}

}  // namespace

uint64_t Governor::Decide(const Reading& reading) noexcept {
  // Somebody has set another one, or the sums have gone back (in a fork's child): measure from
  // here.
  if (reading.interval_bytes != set_bytes_ || reading.now_ns < stretch_ns_ ||
      reading.cpu_ns < stretch_cpu_ns_) {
    set_bytes_ = reading.interval_bytes;
    stretch_ns_ = reading.now_ns;
    stretch_cpu_ns_ = reading.cpu_ns;
    calm_since_ns_ = 0;
    return set_bytes_;
  }
  const uint64_t passed = reading.now_ns - stretch_ns_;
  if (set_bytes_ <= Sampler::kExact || passed < kLeastStretchNs) return set_bytes_;
  const double interval = static_cast<double>(set_bytes_);
  const double share = ShareOf(reading.cpu_ns - stretch_cpu_ns_, passed);
  credit_ns_ = std::min(credit_ns_ + (budget_ - share) * static_cast<double>(passed), kCreditNs);
  if (share > budget_ && credit_ns_ < 0) {
    const double factor = std::min(share / (kAim * budget_), kMostWidening);
    set_bytes_ = static_cast<uint64_t>(
        std::min(interval * factor, static_cast<double>(Sampler::kMaxInterval)));
    credit_ns_ = 0;
    calm_since_ns_ = 0;
  } else if (set_bytes_ <= reading.asked_bytes || share > kCalm * budget_) {
    calm_since_ns_ = 0;
  } else if (calm_since_ns_ == 0) {
    calm_since_ns_ = stretch_ns_;
    calm_cpu_ns_ = stretch_cpu_ns_;
  }
  if (calm_since_ns_ != 0 && reading.now_ns - calm_since_ns_ >= kCalmNs) {
    const double calm = ShareOf(reading.cpu_ns - calm_cpu_ns_, reading.now_ns - calm_since_ns_);
    const double factor = std::max(calm / (kAim * budget_), 0.5);
    set_bytes_ = std::max(static_cast<uint64_t>(interval * factor), reading.asked_bytes);
    calm_since_ns_ = 0;
  }
  stretch_ns_ = reading.now_ns;
  stretch_cpu_ns_ = reading.cpu_ns;
  return set_bytes_;
}

}  // namespace heapgauge
