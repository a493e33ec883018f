// The module that holds an address, as the loader keeps it: the module's own headers are pages of
// its file, which may be gone.
//
// Takes no lock and allocates nothing (glibc 2.35), so it may be asked wherever malloc may be
// called.  What it tells is good as long as the module stays loaded.
#ifndef HEAPGAUGE_ELF_MODULE_AROUND_H_
#define HEAPGAUGE_ELF_MODULE_AROUND_H_

#include <dlfcn.h>
#include <link.h>

#include <atomic>
#include <cstdint>
#include <type_traits>

#include "base/address_range.h"

namespace heapgauge {

// The whole of a module that the kernel has mapped: the program or the loader.  Where segments are
// aligned to more than a page (AArch64's are, and those for large pages) it leaves gaps between them,
// and glibc then tells of the one segment that holds the address.  What the loader maps has none.
class KernelMapped final {
 public:
  // Each is found out once; their headers are read for it, at the start of the process.
  static AddressRange Program(uintptr_t bias) noexcept;
  static AddressRange Loader() noexcept;
  // 1 where there is none.
  static uintptr_t LoaderBase() noexcept {
    // relaxed: a number that never changes again.
    const uintptr_t known = loader_base_.load(std::memory_order_relaxed);
    return known != 0 ? known : FindLoaderBase();
  }

 private:
  static uintptr_t FindLoaderBase() noexcept;

  static std::atomic<uintptr_t> loader_base_;
};

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
    const AddressRange told = {reinterpret_cast<uintptr_t>(object_.dlfo_map_start),
                               reinterpret_cast<uintptr_t>(object_.dlfo_map_end)};
    const bool is_program = *map()->l_name == '\0';
    if (!is_program && map()->l_addr != KernelMapped::LoaderBase()) return told;
    const AddressRange whole =
        is_program ? KernelMapped::Program(map()->l_addr) : KernelMapped::Loader();
    // A loader that was started as a program has mapped the program itself.
    return whole.Holds(told.begin) ? whole : told;
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
