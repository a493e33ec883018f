// The calls that libunwind makes, led elsewhere by its own table of imports: no other module's
// calls change.
#ifndef HEAPGAUGE_TRACE_LIBUNWIND_IMPORTS_H_
#define HEAPGAUGE_TRACE_LIBUNWIND_IMPORTS_H_

#include <elf.h>
#include <link.h>

#include <cstddef>

namespace heapgauge {

// One module's imports, as its dynamic section describes them.
class LibunwindImports final {
 public:
  explicit LibunwindImports(const link_map* module) noexcept;

  // Where the address of `name` stands; nullptr: it is not imported.
  void* const* Slot(const char* name) const noexcept;
  static bool Fill(void* const* slot, void* with) noexcept;

  // Around its locks libunwind blocks all signals, by a call of libc's that leaves libc's own out:
  // it would open them (base/signal_mask.h).
  void LeadMaskCalls() const noexcept;

 private:
  void* const* SlotIn(const ElfW(Rela) * table, size_t bytes, const char* name) const noexcept;

  const link_map* const module_;
  const ElfW(Sym) * symbols_ = nullptr;
  const char* names_ = nullptr;
  const ElfW(Rela) * calls_ = nullptr;  // DT_JMPREL
  size_t calls_bytes_ = 0;
  const ElfW(Rela) * data_ = nullptr;  // DT_RELA: imports bound at load time are here
  size_t data_bytes_ = 0;
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_TRACE_LIBUNWIND_IMPORTS_H_
