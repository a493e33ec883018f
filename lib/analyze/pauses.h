// When did what stays pause, so that what came before is another matter?
//
// A curve that flattens never pauses: each part of it holds more than the next.  So where hardly
// anything that stays was born for a while, though the process went on as it does, a load ended:
// it tells nothing of what has come since. docs/verdict.md, section 3.
#ifndef HEAPGAUGE_ANALYZE_PAUSES_H_
#define HEAPGAUGE_ANALYZE_PAUSES_H_

#include "analyze/history.h"

namespace heapgauge {

struct Pause {
  double ended_s = 0;  // ago; 0: there was none
  double began_s = 0;
};

// The pause within the last `seconds` that chance explains least.  What stays is seen in the net growth
// of samples; `young`: of those alive, the ones that may be about to die, whose coming and going is
// noise in it.
Pause FindPause(const SiteHistory& history, double seconds, double young);

}  // namespace heapgauge

#endif  // HEAPGAUGE_ANALYZE_PAUSES_H_
