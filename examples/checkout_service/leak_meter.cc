#include "leak_meter.h"

#include <algorithm>

namespace checkout {
namespace {

int64_t WholeSeconds(std::chrono::steady_clock::duration d) {
  return std::chrono::duration_cast<std::chrono::seconds>(d).count();
}

}  // namespace

void LeakMeter::Add(uint64_t bytes, Time now) {
  if (!first_) {
    first_ = now;
    first_bytes_ = bytes;
  }
  last_ = now;
  bytes_ += bytes;
  ++objects_;
  const int64_t second = WholeSeconds(now - *first_);
  Second& slot = ring_[static_cast<size_t>(second) % ring_.size()];
  if (slot.second != second) slot = Second{second, 0};
  slot.bytes += bytes;
}

LeakTotals LeakMeter::Totals(Time now) const {
  LeakTotals totals;
  totals.bytes = bytes_;
  totals.objects = objects_;
  if (!first_) return totals;
  totals.seconds = std::chrono::duration<double>(last_ - *first_).count();
  if (totals.seconds > 0) {
    totals.bytes_per_s = static_cast<double>(bytes_ - first_bytes_) / totals.seconds;
  }
  const int64_t running = WholeSeconds(now - *first_);
  const int64_t oldest = std::max<int64_t>(0, running - kRecentSeconds);
  uint64_t recent = 0;
  for (const Second& slot : ring_) {
    if (slot.second >= oldest && slot.second < running) recent += slot.bytes;
  }
  if (running > oldest) {
    totals.recent_bytes_per_s = static_cast<double>(recent) / static_cast<double>(running - oldest);
  }
  return totals;
}

}  // namespace checkout
