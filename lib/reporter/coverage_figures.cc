#include "reporter/coverage_figures.h"

#include <fmt/core.h>

#include <string>

#include "base/fork_gate.h"
#include "process/hidden_allocator.h"

namespace heapgauge {

bool CoverageFigures::Fill(SamplingInfo& sampling) {
  if (shim_.measure_coverage == nullptr) return false;
  // Outside the gate: a fork need not wait for a file to be read.
  if (hidden_ == kNotCounted) hidden_ = CountHiddenAllocator("/proc/self/exe");
  Coverage coverage;
  {
    const ForkGate::Passage gate;  // the loader's lock
    if (!gate.entered()) return false;
    shim_.measure_coverage(&coverage);
  }
  std::string modules = coverage.uncovered;
  if (hidden_ > 0) {
    coverage.references += hidden_;
    modules = "the program itself (it has an allocator of its own linked in)" +
              (modules.empty() ? "" : ", " + modules);
  }
  if (coverage.references == 0) return false;
  sampling.coverage = static_cast<double>(coverage.covered) / coverage.references;
  if (coverage.covered == coverage.references) return false;
  sampling.coverage_note = fmt::format(
      "{} of the {} references that modules have to the allocator lead past heapgauge, "
      "in {}.",
      coverage.references - coverage.covered, coverage.references, modules);
  return true;
}

}  // namespace heapgauge
