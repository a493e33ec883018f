// A line of this process's start-up, said once for a tree of processes.
//
// A browser executes itself for each of its processes, and a shell's script the same program for
// each file; what keeps heapgauge out of one keeps it out of all, and the user has read it.  The
// environment is the host's, so the child looks up: where an ancestor is the same executable with
// heapgauge in it, that one has spoken.  An ancestor whose /proc may not be read (it is in an outer
// user namespace) is known by its name alone.  Among those below another program that has heapgauge
// in it, the first one leaves a mark (said_mark.h).
#ifndef HEAPGAUGE_SHIM_SAID_ABOVE_H_
#define HEAPGAUGE_SHIM_SAID_ABOVE_H_

#include "base/macros.h"

namespace heapgauge {

// Not on the way of a process that is tracked.  False without /proc.
HG_HIDDEN bool SaidAbove() noexcept;

}  // namespace heapgauge

#endif  // HEAPGAUGE_SHIM_SAID_ABOVE_H_
