// The calls after which reports could no longer find or enter their directory.
//
//   chroot          from inside, the way to it is not to be found: it is opened before
//   unshare, setns  the same, with namespaces of mounts (id_hooks.cc); pivot_root(2), which has no
//                   function in the C library, comes after one of them
//   setuid, setreuid, setresuid
//                   of root, for good: the directory is given to the new user (id_hooks.cc)
//
// Exported, like the malloc family.  Each leads on at once where there is nothing to do.
#ifndef HEAPGAUGE_SHIM_ROOT_HOOKS_H_
#define HEAPGAUGE_SHIM_ROOT_HOOKS_H_

#include "base/macros.h"

namespace heapgauge {

// Looks up what these calls lead to behind us, once, from the constructor: later it might be a
// vfork() child that asks.
HG_HIDDEN void FindNextRootCalls() noexcept;

}  // namespace heapgauge

#endif  // HEAPGAUGE_SHIM_ROOT_HOOKS_H_
