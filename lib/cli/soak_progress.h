// How far a soak has come: on a terminal one line that is written over and over, elsewhere a line
// now and then, for a service of CI may end what has long been silent.
#ifndef HEAPGAUGE_CLI_SOAK_PROGRESS_H_
#define HEAPGAUGE_CLI_SOAK_PROGRESS_H_

#include <cstddef>
#include <string>

#include "cli/soak_run.h"

namespace heapgauge::cli {

// What there is to say at one moment.
struct SoakMoment {
  std::string phase;
  double left_s = -1;  // of the phase; < 0: not known
  double rss_bytes = 0;
  double live_bytes = 0;
  double bytes_per_s = 0;
  std::string verdict;  // so far; "": no process has reported yet
};

// No longer than `width`: what finds no room is left out, and no figure is cut.
std::string SoakProgressLine(const SoakMoment& moment, size_t width);

class SoakProgress final {
 public:
  // Where standard error is no terminal a line every `line_every_s`; 0: none.
  SoakProgress(SoakRun* run, double line_every_s);
  // Takes the line away.
  void Clear();

 private:
  SoakMoment Now(const char* phase, double left_s) const;
  void Show(const char* phase, double left_s);
  void Tell(const char* phase, double left_s);

  SoakRun* run_;
  double line_every_s_;
  double next_line_s_ = 0;
  bool shown_ = false;
};

}  // namespace heapgauge::cli

#endif  // HEAPGAUGE_CLI_SOAK_PROGRESS_H_
