// The module that holds an address, as the loader keeps it: the module's own headers are pages of
// its file, which may be gone.
//
// Takes no lock and allocates nothing (glibc 2.35), so it may be asked wherever malloc may be
// called.  What it tells is good as long as the module stays loaded.
#ifndef HEAPGAUGE_ELF_MODULE_AROUND_H_
#define HEAPGAUGE_ELF_MODULE_AROUND_H_

#include <dlfcn.h>
#include <link.h>

#include <cstdint>
#include <type_traits>

#include "base/address_range.h"

namespace heapgauge {

class ModuleAround final {
 public:
  explicit ModuleAround(uintptr_t address) noexcept {
    // glibc answers 0 for the null pointer where a module has none.
    if (address == 0 || _dl_find_object(reinterpret_cast<void*>(address), &object_) != 0) {
      object_.dlfo_link_map = nullptr;
    }
  }
  explicit ModuleAround(const void* address) noexcept
      : ModuleAround(reinterpret_cast<uintptr_t>(address)) {}
  template <typename Function>
  explicit ModuleAround(Function* function) noexcept requires(std::is_function_v<Function>)
      : ModuleAround(reinterpret_cast<uintptr_t>(function)) {}

  bool found() const noexcept { return object_.dlfo_link_map != nullptr; }
  // Empty, 0 and nullptr where there is none.
  AddressRange range() const noexcept {
    if (!found()) return {};
    return {reinterpret_cast<uintptr_t>(object_.dlfo_map_start),
            reinterpret_cast<uintptr_t>(object_.dlfo_map_end)};
  }
  uintptr_t begin() const noexcept { return range().begin; }
  const link_map* map() const noexcept { return object_.dlfo_link_map; }
  // The path; "" is the program.
  const char* name() const noexcept { return found() ? map()->l_name : nullptr; }
  // .eh_frame_hdr; nullptr where it has none.
  const unsigned char* frame_tables() const noexcept {
    return found() ? static_cast<const unsigned char*>(object_.dlfo_eh_frame) : nullptr;
  }

 private:
  dl_find_object object_;
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_ELF_MODULE_AROUND_H_
