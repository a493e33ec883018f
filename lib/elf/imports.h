// Whose functions a loaded module calls, and how that is changed: the module's own table of
// addresses, which the loader fills with the first definition of each name in the program's order.
// A program that has a function called read() is found there before the C library.
//
// Nothing here calls anything but what it is given: it runs before a module's calls lead where they
// should, so not even memcpy() may be meant (CMakeLists.txt keeps the compiler from inventing it).
// Modules are read as the loader has them in memory, and belong to the process as it is: no
// defence against tables that lie.
#ifndef HEAPGAUGE_ELF_IMPORTS_H_
#define HEAPGAUGE_ELF_IMPORTS_H_

#include <link.h>

#include <cstddef>
#include <cstdint>

#include "elf/module_layout.h"
#include "elf/module_reader.h"

namespace heapgauge {

// A loaded module, as its dynamic section tells of it: module_reader.h over memory that is trusted.
class ElfModule final {
 public:
  ElfModule() noexcept = default;
  ElfModule(uintptr_t base, const ElfW(Dyn) * dynamic) noexcept;
  explicit ElfModule(const link_map& map) noexcept : ElfModule(map.l_addr, map.l_ld) {}

  // True when symbols can be looked up in it.
  bool HasSymbols() const noexcept;
  uintptr_t base() const noexcept { return layout_.bias; }
  // Its DT_SONAME; nullptr if it has none.
  const char* name() const noexcept;
  // True when it says that it needs the library of that name.
  bool Needs(const char* name) const noexcept;

  // The address of what it defines under `name`, of the version whose hash is given (0: the usual
  // one); 0 when it does not.  A function that the module chooses by the processor is chosen.
  uintptr_t Function(const char* name, uint32_t version_hash) const noexcept;
  // The same of whatever version, and not of one that is chosen.
  uintptr_t FunctionOfAnyVersion(const char* name) const noexcept;
  // The same for a variable.
  uintptr_t Variable(const char* name) const noexcept;
  // False: it has no symbol of that name, not even a stub that stands for another module's function.
  // True where symbols can't be looked up.
  bool MayHave(const char* name) const noexcept;

  // One of its imports of functions.
  struct Import {
    const char* name;
    uint32_t version_hash;  // 0: none is asked for
    uintptr_t* slot;        // the word through which it is called
  };
  // Calls `visit` with each of them and `data`.
  void VisitImports(void (*visit)(const Import& import, void* data), void* data) const noexcept;

 private:
  ModuleLayout layout_;
  ModuleTables tables_;
};

// Leads what a module imports to the libraries given, in their order, where those define it;
// `leave(name)`: not this one.  The loader is done with the module, and memory that it has made
// read-only is opened as module_words.h has it, which is seldom: as a rule all lead there already.
// False when that memory can't be opened.
bool BindImports(const ElfModule& module, const ElfModule* libraries, size_t count,
                 bool (*leave)(const char* name)) noexcept;

// The same for words that a module fills itself; of a version that no library has, the usual one.
bool BindWords(const ElfModule& module, const ElfModule::Import* imports, size_t import_count,
               const ElfModule* libraries, size_t count) noexcept;

// The same for one import, by its word: leads it to `address`.
bool SetImport(const ElfModule& module, uintptr_t* slot, uintptr_t address) noexcept;

}  // namespace heapgauge

#endif  // HEAPGAUGE_ELF_IMPORTS_H_
