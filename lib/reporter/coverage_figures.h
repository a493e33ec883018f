// Which share of the program's calls to its allocator lead to our hooks.
#ifndef HEAPGAUGE_REPORTER_COVERAGE_FIGURES_H_
#define HEAPGAUGE_REPORTER_COVERAGE_FIGURES_H_

#include <cstdint>

#include "core_api/core_api.h"
#include "report/report.h"

namespace heapgauge {

class CoverageFigures final {
 public:
  // `shim` stays the caller's and outlives this.
  explicit CoverageFigures(const ShimApi& shim) noexcept : shim_(shim) {}

  // Fills `coverage` and `coverage_note`, where it can be told.  True when some lead past us.  One
  // thread at a time.
  bool Fill(SamplingInfo& sampling);

 private:
  static constexpr uint32_t kNotCounted = ~uint32_t{0};

  const ShimApi& shim_;
  uint32_t hidden_ = kNotCounted;  // functions of an allocator that the program hides
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_REPORTER_COVERAGE_FIGURES_H_
