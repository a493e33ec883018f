// The calls that libunwind makes, led elsewhere by its own table of imports: no other module's
// calls change.
#ifndef HEAPGAUGE_TRACE_LIBUNWIND_IMPORTS_H_
#define HEAPGAUGE_TRACE_LIBUNWIND_IMPORTS_H_

#include <link.h>

#include <cstdint>

#include "elf/imports.h"

namespace heapgauge {

class LibunwindImports final {
 public:
  LibunwindImports(uintptr_t base, const ElfW(Dyn) * dynamic) noexcept : module_(base, dynamic) {}

  bool Has(const char* name) const noexcept { return SlotOf(name) != nullptr; }
  // Leads its calls of `name` to `function`.  False when it makes none, or they can't be changed.
  template <typename Function>
  bool Lead(const char* name, Function* function) const noexcept {
    uintptr_t* const slot = SlotOf(name);
    return slot != nullptr && SetImport(module_, slot, reinterpret_cast<uintptr_t>(function));
  }

  // Around its locks libunwind blocks all signals, by a call of libc's that leaves libc's own out:
  // it would open them (base/signal_mask.h).
  void LeadMaskCalls() const noexcept;

 private:
  uintptr_t* SlotOf(const char* name) const noexcept;

  const ElfModule module_;
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_TRACE_LIBUNWIND_IMPORTS_H_
