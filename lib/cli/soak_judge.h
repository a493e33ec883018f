// From the reports of SERVICE's processes to what a soak found.
#ifndef HEAPGAUGE_CLI_SOAK_JUDGE_H_
#define HEAPGAUGE_CLI_SOAK_JUDGE_H_

#include <sys/types.h>

#include <optional>
#include <vector>

#include "cli/soak_reports.h"
#include "cli/soak_result.h"

namespace heapgauge::cli {

inline constexpr size_t kMostGrowing = 5;  // call sites that are named as such

struct SoakWindow {
  double from_s = 0;  // the judged part, by the soak's clock
  double to_s = 0;
  double report_interval_s = 1;
  std::optional<double> requests;  // in it
};

// Fills in leaks, what grows, processes, memory, and what would have been seen.  A call site leaks
// when the newest report of a process says so and it has grown since the warm-up, or when the sum
// over several processes of one program does (JudgeTogether()).
void JudgeSoak(const std::vector<SoakProcess>& processes, const SoakWindow& window,
               SoakResult* result);

// Does the sum over processes of one program show a leak at a call site that none of them shows
// alone?  Findings are appended.
void JudgeTogether(const std::vector<const SoakProcess*>& processes, const SoakWindow& window,
                   SoakResult* result);

// Exact mode.  `marks`: when each iteration had ended, the first of them that of the last one that
// was cut off.  `more`: the runs of LOAD after those, which tell what only fills up.  `alive`:
// processes at the end; what others kept has gone with them.
void JudgeIterations(const std::vector<SoakProcess>& processes, const std::vector<double>& marks,
                     const std::vector<SoakMore>& more, const std::vector<pid_t>& alive,
                     SoakResult* result);

// One process more, as it was then; nullptr: it was not there.
void AddMemory(const SoakPoint* point, SoakMemory* memory);

// A finding of a call site, less its growth.
SoakFinding FindingOf(const SoakProcess& process, const Callsite& callsite);

}  // namespace heapgauge::cli

#endif  // HEAPGAUGE_CLI_SOAK_JUDGE_H_
