// A line of this process's start-up, said once for a tree of processes.
//
// A browser executes itself for each of its processes; what keeps heapgauge out of one keeps it out
// of all, and the user has read it.  Nothing may be left behind for the children (the environment
// is the host's), so the child looks up: where an ancestor is the same executable with heapgauge in
// it, that one has spoken.  An ancestor whose /proc may not be read (it is in an outer user
// namespace) is known by its name alone.
#ifndef HEAPGAUGE_SHIM_SAID_ABOVE_H_
#define HEAPGAUGE_SHIM_SAID_ABOVE_H_

#include "base/macros.h"

namespace heapgauge {

// Not on the way of a process that is tracked.  False without /proc.
HG_HIDDEN bool SaidAbove() noexcept;

}  // namespace heapgauge

#endif  // HEAPGAUGE_SHIM_SAID_ABOVE_H_
