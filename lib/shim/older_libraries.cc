#include "shim/older_libraries.h"

#include <dlfcn.h>
#include <link.h>

#include "base/macros.h"
#include "elf/imports.h"
#include "shim/own_imports.h"

namespace heapgauge {

OlderLibraries::OlderLibraries() noexcept {
  const link_map* const loading = SeparateLoading();
  if (HG_LIKELY(loading == nullptr)) return;
  dlopen("libdl.so.2", RTLD_NOW | RTLD_GLOBAL);
  threads_ = dlopen("libpthread.so.0", RTLD_NOW | RTLD_GLOBAL);
}

void OlderLibraries::Bind(void* loaded) const noexcept {
  if (HG_LIKELY(threads_ == nullptr)) return;
  const ElfModule libraries[] = {ElfModule(*static_cast<const link_map*>(threads_)),
                                 ElfModule(*SeparateLoading())};
  BindImports(ElfModule(*static_cast<const link_map*>(loaded)), libraries, 2, nullptr);
}

}  // namespace heapgauge
