// The call that leads a program into another root directory.
//
// Exported, like the malloc family: from inside, the way to the report directory is not to be found
// any more, so it is opened before.  pivot_root(2) has no function in the C library; what a program
// does before it, unshare() or setns() into a namespace of mounts, is seen by id_hooks.h.
#include <sys/syscall.h>
#include <unistd.h>

#include "base/macros.h"
#include "core_api/core_api.h"
#include "shim/core_loader.h"
#include "shim/next_allocator.h"

using namespace heapgauge;  // NOLINT: as malloc_hooks.cc

extern "C" HG_EXPORT int chroot(const char* path) noexcept {
  // Another library's may stand behind us (fakechroot).
  static void* const next = NextSymbol("chroot");
  if (const CoreApi* const core = Core()) core->before_root_change();
  if (next == nullptr) return static_cast<int>(syscall(SYS_chroot, path));
  return reinterpret_cast<int (*)(const char*)>(next)(path);
}
