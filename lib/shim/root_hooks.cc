#include "shim/root_hooks.h"

#include <errno.h>

#include "core_api/core_api.h"
#include "shim/core_loader.h"
#include "shim/next_allocator.h"

namespace heapgauge {
namespace {

int (*g_next_chroot)(const char*) = nullptr;

}  // namespace

void FindNextRootCalls() noexcept {
  ResolveNextAllocator();  // also what binds this library's own calls to the C library
  g_next_chroot = reinterpret_cast<int (*)(const char*)>(NextSymbol("chroot"));
}

}  // namespace heapgauge

using namespace heapgauge;  // NOLINT: as malloc_hooks.cc

extern "C" HG_EXPORT int chroot(const char* path) noexcept {
  if (const CoreApi* const core = Core()) core->before_root_change();
  // Before the constructor there is one thread, and nothing but the loader above it.
  if (HG_UNLIKELY(g_next_chroot == nullptr)) FindNextRootCalls();
  if (HG_LIKELY(g_next_chroot != nullptr)) return g_next_chroot(path);
  errno = ENOSYS;
  return -1;
}
