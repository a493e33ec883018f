// How far a soak has come, on a terminal: one line that is written over and over.
#ifndef HEAPGAUGE_CLI_SOAK_PROGRESS_H_
#define HEAPGAUGE_CLI_SOAK_PROGRESS_H_

#include <string>

#include "cli/soak_run.h"

namespace heapgauge::cli {

class SoakProgress final {
 public:
  // Nothing where standard error is no terminal.
  explicit SoakProgress(SoakRun* run);
  // Takes the line away.
  void Clear();

 private:
  void Show(const char* phase, double left_s);

  SoakRun* run_;
  bool shown_ = false;
};

}  // namespace heapgauge::cli

#endif  // HEAPGAUGE_CLI_SOAK_PROGRESS_H_
