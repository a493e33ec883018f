// The list of modules in which a process's loader looks when another one is to be loaded.
//
// It lies in the process's own memory, where the process can write to it.  The loader believes it
// and holds its lock meanwhile: a circle in the list, or a name that never ends, would keep our
// thread in it for ever, and every other one that needs the loader, the process's exit too.
#ifndef HEAPGAUGE_ATTACH_LOADER_LIST_H_
#define HEAPGAUGE_ATTACH_LOADER_LIST_H_

#include <sys/types.h>

#include <string>
#include <vector>

#include "attach/process.h"

namespace heapgauge::attach {

// "" when the loader comes to the end of it; else why it would not.  The list of a process that
// loads something at this moment can look broken: ask again.
//
// L1  Each module but the first says which one stands before it, and the first one none: a list
//     that leads back anywhere breaks that.
// L2  What the loader follows in a module on its way can be read, and ends.
// L3  A module lies where its program headers say, as far as these can be had.
std::string WhyNotFollowed(pid_t pid, const LoadedModule& loader,
                           const std::vector<LoadedModule>& modules);

}  // namespace heapgauge::attach

#endif  // HEAPGAUGE_ATTACH_LOADER_LIST_H_
