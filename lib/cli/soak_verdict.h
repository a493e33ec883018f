// What a soak comes to: its status, its words, and what would do where it says nothing.
#ifndef HEAPGAUGE_CLI_SOAK_VERDICT_H_
#define HEAPGAUGE_CLI_SOAK_VERDICT_H_

#include <functional>
#include <vector>

#include "cli/soak_baseline.h"
#include "cli/soak_options.h"
#include "cli/soak_reports.h"
#include "cli/soak_result.h"
#include "cli/soak_run.h"

namespace heapgauge::cli {

// `baseline`: nullptr where there is none.  `ask_more` is called once it is known what leaks or
// grows, and before anything is said of it.
void ConcludeSoak(const SoakRequest& request, const SoakCourse& course,
                  const std::vector<SoakProcess>& processes, const SoakBaseline* baseline,
                  const std::function<void()>& ask_more, SoakResult* result);

}  // namespace heapgauge::cli

#endif  // HEAPGAUGE_CLI_SOAK_VERDICT_H_
