// What a copy of so much private memory costs, measured with pages of 4 KiB (bench/README.md).
#ifndef HEAPGAUGE_BASE_COPY_COST_H_
#define HEAPGAUGE_BASE_COPY_COST_H_

#include <cstdint>

namespace heapgauge {

struct CopyCost {
  static constexpr double kStandstillMsOfGiB = 130;
  static constexpr double kMostStandstillMs = 20;
  static constexpr uint64_t kLifeSeconds = 30;  // of the copy

  uint64_t bytes = 0;  // that are copied at most

  double standstill_ms() const {
    return kStandstillMsOfGiB * static_cast<double>(bytes) / (1 << 30);
  }
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_BASE_COPY_COST_H_
