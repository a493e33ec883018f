// A line of this process's start-up, said once for a tree of processes.
//
// A browser executes itself for each of its processes, and a shell's script the same program for
// each file; what keeps heapgauge out of one keeps it out of all, and the user has read it.  The
// environment is the host's, so the child looks up: where an ancestor is the same executable with
// heapgauge in it, that one has spoken; so has one of the same directory that keeps heapgauge out,
// as a browser does for its crash handler.  An ancestor whose /proc may not be read (it is in an
// outer user namespace) is known by its name alone.  An orphan looks for either among all
// processes.  Among those below another program that has heapgauge in it, the first one leaves a
// mark (said_mark.h).
#ifndef HEAPGAUGE_SHIM_SAID_ABOVE_H_
#define HEAPGAUGE_SHIM_SAID_ABOVE_H_

#include "base/macros.h"

namespace heapgauge {

// Not on the way of a process that is tracked.  False without /proc.  `all_are_asked`: no program is
// passed over without a word for its name.
HG_HIDDEN bool SaidAbove(bool all_are_asked) noexcept;

}  // namespace heapgauge

#endif  // HEAPGAUGE_SHIM_SAID_ABOVE_H_
