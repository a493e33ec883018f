// Who holds what a soak found, asked of SERVICE's processes before they are stopped.
#ifndef HEAPGAUGE_CLI_SOAK_HOLDERS_H_
#define HEAPGAUGE_CLI_SOAK_HOLDERS_H_

#include <sys/types.h>

#include <vector>

#include "cli/soak_result.h"
#include "cli/soak_run.h"

namespace heapgauge::cli {

// Fills in the findings' `held`.  One process is asked for each finding, the first of its own that
// is among those alive; where that can't be, a note says why.  An interrupt ends the wait.
void AskHolders(const SoakCourse& course, SoakRun* run, SoakResult* result);

// Nothing points to most of it any more.
bool IsMostlyLost(const SoakFinding& finding);

// What grows and is mostly lost leaks: its cause is open no longer.
void TakeLostForLeaks(SoakResult* result);

}  // namespace heapgauge::cli

#endif  // HEAPGAUGE_CLI_SOAK_HOLDERS_H_
