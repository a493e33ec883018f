// The truth about the defect: how much leaked, since when, how fast.  Exact; what a tracker says is
// measured against it.  Not thread-safe: the coupon book updates it under its own lock.
#ifndef CHECKOUT_SERVICE_LEAK_METER_H
#define CHECKOUT_SERVICE_LEAK_METER_H

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>

namespace checkout {

struct LeakTotals {
  uint64_t bytes = 0;
  uint64_t objects = 0;
  double seconds = 0;             // from the first leaked object to the last one
  double bytes_per_s = 0;         // over those seconds
  double recent_bytes_per_s = 0;  // over the last LeakMeter::kRecentSeconds whole seconds
};

class LeakMeter final {
 public:
  using Time = std::chrono::steady_clock::time_point;
  static constexpr int kRecentSeconds = 10;

  void Add(uint64_t bytes, Time now);
  LeakTotals Totals(Time now) const;

 private:
  struct Second {
    int64_t second = -1;  // since the first leak; -1: never used
    uint64_t bytes = 0;
  };

  uint64_t bytes_ = 0;
  uint64_t objects_ = 0;
  uint64_t first_bytes_ =
      0;  // size of the first object: it opens the interval, so it isn't part of the rate
  std::optional<Time> first_;
  Time last_{};
  std::array<Second, kRecentSeconds + 1>
      ring_{};  // the running second and the whole ones before it
};

}  // namespace checkout

#endif  // CHECKOUT_SERVICE_LEAK_METER_H
