// How often `heapgauge top` gets a look that is new: looks take no more of a core than kShare in the
// long run, whatever one costs.  Between them the last one is the answer, with its age.
//
// Report thread only.
#ifndef HEAPGAUGE_REPORTER_LOOK_BUDGET_H_
#define HEAPGAUGE_REPORTER_LOOK_BUDGET_H_

#include <algorithm>
#include <cstdint>

namespace heapgauge {

class LookBudget final {
 public:
  static constexpr double kShare = 0.005;
  // What may be spent at once: the first looks find names that later ones know.
  static constexpr double kMostNs = 100e6;

  // May a new look be made now?
  bool Allows(uint64_t now_ns) noexcept {
    if (last_ns_ != 0)
      left_ns_ = std::min(kMostNs, left_ns_ + kShare * static_cast<double>(now_ns - last_ns_));
    last_ns_ = now_ns;
    return left_ns_ > 0;
  }
  void Spend(uint64_t cpu_ns) noexcept { left_ns_ -= static_cast<double>(cpu_ns); }

 private:
  double left_ns_ = kMostNs;
  uint64_t last_ns_ = 0;
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_REPORTER_LOOK_BUDGET_H_
