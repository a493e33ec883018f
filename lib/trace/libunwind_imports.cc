#include "trace/libunwind_imports.h"

#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>

#include "base/signal_mask.h"

namespace heapgauge {
namespace {

// Only libunwind's locking asks for the mask before.
int ChangeMask(int how, const sigset_t* set, sigset_t* before) noexcept {
  uint64_t signals = 0;
  if (set != nullptr) std::memcpy(&signals, set, sizeof(signals));
  const bool locks = how == SIG_SETMASK && before != nullptr;
  const uint64_t old = SignalMask::Change(locks || set == nullptr ? SIG_BLOCK : how, signals);
  if (before != nullptr) std::memcpy(before, &old, sizeof(old));
  return 0;
}

struct Page {
  uintptr_t at;
  bool read_only;
};

// A module that is linked with -z now has its slots in memory that is read-only by now.
bool IsReadOnly(uintptr_t address) noexcept {
  Page page{address, false};
  dl_iterate_phdr(
      [](dl_phdr_info* module, size_t, void* data) {
        Page& wanted = *static_cast<Page*>(data);
        for (int i = 0; i < module->dlpi_phnum; ++i) {
          const ElfW(Phdr)& part = module->dlpi_phdr[i];
          const uintptr_t from = module->dlpi_addr + part.p_vaddr;
          if (part.p_type != PT_GNU_RELRO || wanted.at < from || wanted.at >= from + part.p_memsz)
            continue;
          wanted.read_only = true;
          return 1;
        }
        return 0;
      },
      &page);
  return page.read_only;
}

}  // namespace

LibunwindImports::LibunwindImports(const link_map* module) noexcept : module_(module) {
  // The loader has made the pointers absolute (it leaves them alone on RISC-V and MIPS only).
  for (const ElfW(Dyn)* entry = module->l_ld; entry->d_tag != DT_NULL; ++entry) {
    const ElfW(Addr) value = entry->d_un.d_ptr;
    switch (entry->d_tag) {
      case DT_SYMTAB:
        symbols_ = reinterpret_cast<const ElfW(Sym)*>(value);
        break;
      case DT_STRTAB:
        names_ = reinterpret_cast<const char*>(value);
        break;
      case DT_JMPREL:
        calls_ = reinterpret_cast<const ElfW(Rela)*>(value);
        break;
      case DT_PLTRELSZ:
        calls_bytes_ = entry->d_un.d_val;
        break;
      case DT_RELA:
        data_ = reinterpret_cast<const ElfW(Rela)*>(value);
        break;
      case DT_RELASZ:
        data_bytes_ = entry->d_un.d_val;
        break;
      default:
        break;
    }
  }
}

void* const* LibunwindImports::SlotIn(const ElfW(Rela) * table, size_t bytes,
                                      const char* name) const noexcept {
  for (size_t i = 0; table != nullptr && i < bytes / sizeof(*table); ++i) {
    const size_t index = ELF64_R_SYM(table[i].r_info);
    if (index == 0 || std::strcmp(names_ + symbols_[index].st_name, name) != 0) continue;
    return reinterpret_cast<void* const*>(module_->l_addr + table[i].r_offset);
  }
  return nullptr;
}

void* const* LibunwindImports::Slot(const char* name) const noexcept {
  if (symbols_ == nullptr || names_ == nullptr) return nullptr;
  void* const* const slot = SlotIn(calls_, calls_bytes_, name);
  return slot != nullptr ? slot : SlotIn(data_, data_bytes_, name);
}

bool LibunwindImports::Fill(void* const* slot, void* with) noexcept {
  const uintptr_t address = reinterpret_cast<uintptr_t>(slot);
  const uintptr_t page_bytes = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  void* const page = reinterpret_cast<void*>(address & ~(page_bytes - 1));
  const bool read_only = IsReadOnly(address);
  if (read_only && mprotect(page, page_bytes, PROT_READ | PROT_WRITE) != 0) return false;
  // relaxed: a word that other threads may call through meanwhile; either value will do.
  __atomic_store_n(const_cast<void**>(slot), with, __ATOMIC_RELAXED);
  if (read_only) mprotect(page, page_bytes, PROT_READ);
  return true;
}

void LibunwindImports::LeadMaskCalls() const noexcept {
  void* const* const slot = Slot("sigprocmask");
  if (slot != nullptr) Fill(slot, reinterpret_cast<void*>(&ChangeMask));
}

}  // namespace heapgauge
