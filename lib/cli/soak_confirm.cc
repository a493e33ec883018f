#include "cli/soak_confirm.h"

#include <algorithm>

#include "cli/soak_holders.h"
#include "cli/soak_judge.h"

namespace heapgauge::cli {

bool SoakConfirm::WantsMore(const SoakCourse& so_far) {
  SoakResult result;
  result.iterations = so_far.marks.empty() ? 0 : so_far.marks.size() - 1;
  JudgeIterations(run_->reports().processes(), so_far.marks, so_far.more, so_far.alive, &result);
  if (result.leaks.empty()) return false;
  if (!std::exchange(asked_, true)) {
    AskHolders(so_far, run_, &result);
    for (const SoakFinding& leak : result.leaks) {
      if (IsMostlyLost(leak)) lost_.emplace(leak.program, leak.id);
    }
  }
  return std::any_of(result.leaks.begin(), result.leaks.end(), [this](const SoakFinding& leak) {
    return !lost_.contains({leak.program, leak.id});
  });
}

}  // namespace heapgauge::cli
