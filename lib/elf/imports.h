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

namespace heapgauge {

// A loaded module, as its dynamic section tells of it.
class ElfModule final {
 public:
  ElfModule() noexcept = default;
  ElfModule(uintptr_t base, const ElfW(Dyn) * dynamic) noexcept;

  // True when symbols can be looked up in it.
  bool HasSymbols() const noexcept;
  uintptr_t base() const noexcept { return base_; }
  // Its DT_SONAME; nullptr if it has none.
  const char* name() const noexcept { return name_; }

  // The address of what it defines under `name`, of the version whose hash is given (0: the usual
  // one); 0 when it does not.  A function that the module chooses by the processor is chosen.
  uintptr_t Function(const char* name, uint32_t version_hash) const noexcept;
  // The same for a variable.
  uintptr_t Variable(const char* name) const noexcept;

  // One of its imports of functions.
  struct Import {
    const char* name;
    uint32_t version_hash;  // 0: none is asked for
    uintptr_t* slot;        // the word through which it is called
  };
  // Calls `visit` with each of them and `data`.
  void VisitImports(void (*visit)(const Import& import, void* data), void* data) const noexcept;

 private:
  const ElfW(Sym) * Find(const char* name, uint32_t version_hash) const noexcept;
  bool HasVersion(size_t symbol, uint32_t version_hash) const noexcept;
  uint32_t WantedVersion(size_t symbol) const noexcept;

  uintptr_t base_ = 0;
  const char* name_ = nullptr;
  const ElfW(Sym) * symbols_ = nullptr;
  const char* strings_ = nullptr;
  const uint32_t* hashes_ = nullptr;        // DT_GNU_HASH
  const ElfW(Half) * versions_ = nullptr;   // one a symbol
  const char* defined_versions_ = nullptr;  // DT_VERDEF
  const char* needed_versions_ = nullptr;   // DT_VERNEED
  const ElfW(Rela) * tables_[2] = {};       // DT_JMPREL, DT_RELA
  size_t counts_[2] = {};
};

// Leads what a module imports to the libraries given, in their order, where those define it;
// `leave(name)`: not this one.  Memory that the loader has made read-only is opened for it, and
// only when a word is to change, which is seldom: as a rule all lead there already.  False when
// that memory can't be opened.
bool BindImports(const ElfModule& module, const ElfModule* libraries, size_t count,
                 bool (*leave)(const char* name)) noexcept;

// The same for one import, by its word: leads it to `address`.
bool SetImport(const ElfModule& module, uintptr_t* slot, uintptr_t address) noexcept;

}  // namespace heapgauge

#endif  // HEAPGAUGE_ELF_IMPORTS_H_
