// Exact mode, after the iterations: is there anything that seems to leak and may be filling up only?
#ifndef HEAPGAUGE_CLI_SOAK_CONFIRM_H_
#define HEAPGAUGE_CLI_SOAK_CONFIRM_H_

#include <set>
#include <string>
#include <utility>

#include "cli/soak_run.h"

namespace heapgauge::cli {

// A cache or a ring that is not full yet leaves as much by each iteration as a leak does, and only
// more runs of LOAD tell.  They are not wanted for what is lost: that leaks, whatever it is.
class SoakConfirm final {
 public:
  explicit SoakConfirm(SoakRun* run) : run_(run) {}

  // Asked before each run of LOAD beyond the iterations; asks SERVICE itself, the first time.
  bool WantsMore(const SoakCourse& so_far);

 private:
  SoakRun* run_;
  bool asked_ = false;
  std::set<std::pair<std::string, std::string>> lost_;  // program and call site
};

}  // namespace heapgauge::cli

#endif  // HEAPGAUGE_CLI_SOAK_CONFIRM_H_
