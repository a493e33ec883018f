// Marks that a line was said, for the processes below one root: empty files beside the control
// sockets (control/control_place.h), in a directory of the user's own.
#ifndef HEAPGAUGE_SHIM_SAID_MARK_H_
#define HEAPGAUGE_SHIM_SAID_MARK_H_

#include <sys/stat.h>

#include "base/macros.h"

namespace heapgauge {

// False when another process has said the line of the executable `own` below `root`, a name in
// /proc.  Else it is to be said now, and that is marked if `leave` is set and there is a place.
// Marks of trees that are gone are taken away then.
HG_HIDDEN bool MarkSaid(const char* root, const struct stat& own, bool leave) noexcept;

}  // namespace heapgauge

#endif  // HEAPGAUGE_SHIM_SAID_MARK_H_
