// One simulated process under the analyzer, report by report.
#ifndef HEAPGAUGE_BENCH_VERDICT_RUN_H_
#define HEAPGAUGE_BENCH_VERDICT_RUN_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "scenario.h"

namespace heapgauge::sim {

// What a confidence may be made from.
struct Features {
  double share = 0;
  double intervals = 0;  // the span of the survivors
  double living = 0;
  double hazard = 0;
  double slowing = 0;
  double share_slowing = 0;
  double confidence = 0;
};

// Reports after a call at which its confidence is looked at.
inline constexpr int kLooks[] = {0, 12, 24, 48};

// A site that was called a leak.
struct Call {
  bool right = false;           // it leaks, and did so before the call
  bool still = true;            // of a leak that healed: called while it lasted
  int called_at = 0;            // the report
  std::vector<Features> looks;  // at the call and, while it stands, kLooks reports later
  double reports = 0;           // since the first leaked byte
  double samples = 0;           // leaked ones, at the call
  double bytes = 0;             // truly leaked, at the call
};

struct RunResult {
  std::vector<Call> calls;
  bool leak_is_large =
      false;  // it came to 32 samples' worth and lasted 24 reports: must have been called
  bool leak_called = false;       // by then
  bool leak_called_late = false;  // by the end of the run
  bool healed_cleared = false;    // of a healed leak: no longer called at the end
  // With holders: from the eighth leaked sample to the call by what is lost; none where there was no
  // such call or fewer samples.
  bool eighth_came = false;  // long enough before the end
  std::optional<double> eighth_to_call_s;
  size_t most_rows = 0;  // that showed the scenario's own leak in one report
  // Growth of the leaking site at the end against the truth.
  bool growth_known = false;
  bool growth_covered = false;  // the 95 % interval holds the true rate
  double growth_error = 0;      // relative
  // Reports by the verdict on the scenario's own site.
  uint32_t reports[5] = {};
};

// `trace`: prints what the analysis sees and says of the scenario's own site, report by report.
RunResult Run(const Scenario& scenario, const Setting& setting, uint64_t seed, bool trace = false);

}  // namespace heapgauge::sim

#endif  // HEAPGAUGE_BENCH_VERDICT_RUN_H_
