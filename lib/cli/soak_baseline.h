// An earlier soak, against which this one is judged.
#ifndef HEAPGAUGE_CLI_SOAK_BASELINE_H_
#define HEAPGAUGE_CLI_SOAK_BASELINE_H_

#include <absl/status/statusor.h>

#include <map>
#include <set>
#include <string>
#include <utility>

#include "cli/soak_result.h"

namespace heapgauge::cli {

struct SoakBaseline {
  struct Leak {
    double bytes_per_h = 0;
    double bytes_per_request = 0;  // 0: not known
  };
  // By id, and by function and program where the binary was built anew.
  std::map<std::string, Leak> by_id;
  std::map<std::pair<std::string, std::string>, Leak> by_function;
  std::set<std::string> programs;  // whose processes it had
};

// From the soak.json in `directory`.
absl::StatusOr<SoakBaseline> ReadSoakBaseline(const std::string& directory);

// Marks the leaks that the baseline has as fast as this, half as fast again being chance.  A baseline
// of other programs is noted.
void CompareWithBaseline(const SoakBaseline& baseline, SoakResult* result);

}  // namespace heapgauge::cli

#endif  // HEAPGAUGE_CLI_SOAK_BASELINE_H_
