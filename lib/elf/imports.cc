#include "elf/imports.h"

#include <elf.h>
#include <sys/mman.h>

#include "base/raw_syscall.h"
#include "elf/relocations.h"

namespace heapgauge {
namespace {

constexpr uint16_t kHidden = 0x8000;  // an old version, had only by those who ask for it
constexpr uint16_t kVersionMask = 0x7FFF;

bool Equal(const char* a, const char* b) noexcept {
  while (*a != '\0' && *a == *b) {
    ++a;
    ++b;
  }
  return *a == *b;
}

uint32_t HashOf(const char* name) noexcept {
  uint32_t hash = 5381;
  for (; *name != '\0'; ++name) hash = hash * 33 + static_cast<uint8_t>(*name);
  return hash;
}

template <typename Entry>
const Entry* At(const char* place) noexcept {
  return reinterpret_cast<const Entry*>(place);
}

}  // namespace

ElfModule::ElfModule(uintptr_t base, const ElfW(Dyn) * dynamic) noexcept : base_(base) {
  size_t name = SIZE_MAX;
  size_t bytes[2] = {};
  bool plt_is_rela = true;
  for (const ElfW(Dyn)* entry = dynamic; entry->d_tag != DT_NULL; ++entry) {
    const uintptr_t value = entry->d_un.d_ptr;
    // The loader has turned most of these into addresses, and left some as they were in the file.
    const char* const place = reinterpret_cast<const char*>(value >= base ? value : base + value);
    // Not a switch: that may become a table of addresses, and is no faster here.
    if (entry->d_tag == DT_SYMTAB) symbols_ = At<ElfW(Sym)>(place);
    if (entry->d_tag == DT_STRTAB) strings_ = place;
    if (entry->d_tag == DT_GNU_HASH) hashes_ = At<uint32_t>(place);
    if (entry->d_tag == DT_VERSYM) versions_ = At<ElfW(Half)>(place);
    if (entry->d_tag == DT_VERDEF) defined_versions_ = place;
    if (entry->d_tag == DT_VERNEED) needed_versions_ = place;
    if (entry->d_tag == DT_JMPREL) tables_[0] = At<ElfW(Rela)>(place);
    if (entry->d_tag == DT_PLTRELSZ) bytes[0] = value;
    if (entry->d_tag == DT_PLTREL) plt_is_rela = value == DT_RELA;
    if (entry->d_tag == DT_RELA) tables_[1] = At<ElfW(Rela)>(place);
    if (entry->d_tag == DT_RELASZ) bytes[1] = value;
    if (entry->d_tag == DT_SONAME) name = value;
  }
  if (name != SIZE_MAX && strings_ != nullptr) name_ = strings_ + name;
  if (!plt_is_rela) tables_[0] = nullptr;
  for (int i = 0; i < 2; ++i) {
    if (tables_[i] != nullptr) counts_[i] = bytes[i] / sizeof(ElfW(Rela));
  }
}

bool ElfModule::HasSymbols() const noexcept {
  return symbols_ != nullptr && strings_ != nullptr && hashes_ != nullptr && hashes_[0] != 0;
}

bool ElfModule::HasVersion(size_t symbol, uint32_t version_hash) const noexcept {
  if (versions_ == nullptr) return true;
  const uint16_t version = versions_[symbol];
  if (version_hash == 0 || defined_versions_ == nullptr) return (version & kHidden) == 0;
  for (const char* at = defined_versions_;;) {
    const auto* const entry = At<ElfW(Verdef)>(at);
    if (entry->vd_ndx == (version & kVersionMask)) return entry->vd_hash == version_hash;
    if (entry->vd_next == 0) return false;
    at += entry->vd_next;
  }
}

const ElfW(Sym) * ElfModule::Find(const char* name, uint32_t version_hash) const noexcept {
  const uint32_t hash = HashOf(name);
  const uint32_t bucket_count = hashes_[0];
  const uint32_t first = hashes_[1];
  const uint32_t bloom_words = hashes_[2];
  const auto* const bloom = At<ElfW(Addr)>(reinterpret_cast<const char*>(hashes_ + 4));
  constexpr uint32_t kBits = sizeof(ElfW(Addr)) * 8;
  const ElfW(Addr) word = bloom[(hash / kBits) % bloom_words];
  if (((word >> (hash % kBits)) & (word >> ((hash >> hashes_[3]) % kBits)) & 1) == 0) {
    return nullptr;
  }
  const uint32_t* const buckets = At<uint32_t>(reinterpret_cast<const char*>(bloom + bloom_words));
  const uint32_t* const chain = buckets + bucket_count;
  for (uint32_t i = buckets[hash % bucket_count]; i >= first && i != 0; ++i) {
    const ElfW(Sym)& symbol = symbols_[i];
    const uint32_t found = chain[i - first];
    if ((found | 1) == (hash | 1) && symbol.st_shndx != SHN_UNDEF &&
        Equal(strings_ + symbol.st_name, name) && HasVersion(i, version_hash)) {
      return &symbol;
    }
    if ((found & 1) != 0) break;
  }
  return nullptr;
}

uintptr_t ElfModule::Function(const char* name, uint32_t version_hash) const noexcept {
  const ElfW(Sym)* const symbol = Find(name, version_hash);
  if (symbol == nullptr) return 0;
  const uintptr_t address = base_ + symbol->st_value;
  const uint32_t type = ELF64_ST_TYPE(symbol->st_info);
  if (type == STT_FUNC || type == STT_NOTYPE) return address;
#if defined(__x86_64__)
  // Elsewhere the choice is asked with the processor's features, which we don't know here.
  if (type == STT_GNU_IFUNC) return reinterpret_cast<uintptr_t (*)()>(address)();
#endif
  return 0;
}

uintptr_t ElfModule::Variable(const char* name) const noexcept {
  const ElfW(Sym)* const symbol = Find(name, 0);
  return symbol != nullptr && ELF64_ST_TYPE(symbol->st_info) == STT_OBJECT
             ? base_ + symbol->st_value
             : 0;
}

uint32_t ElfModule::WantedVersion(size_t symbol) const noexcept {
  if (versions_ == nullptr || needed_versions_ == nullptr) return 0;
  const uint16_t wanted = versions_[symbol] & kVersionMask;
  for (const char* file = needed_versions_;; file += At<ElfW(Verneed)>(file)->vn_next) {
    const char* at = file + At<ElfW(Verneed)>(file)->vn_aux;
    for (;; at += At<ElfW(Vernaux)>(at)->vna_next) {
      const auto* const entry = At<ElfW(Vernaux)>(at);
      if ((entry->vna_other & kVersionMask) == wanted) return entry->vna_hash;
      if (entry->vna_next == 0) break;
    }
    if (At<ElfW(Verneed)>(file)->vn_next == 0) return 0;
  }
}

void ElfModule::VisitImports(void (*visit)(const Import& import, void* data),
                             void* data) const noexcept {
  if (symbols_ == nullptr || strings_ == nullptr) return;
  for (int table = 0; table < 2; ++table) {
    for (size_t i = 0; i < counts_[table]; ++i) {
      const ElfW(Rela)& reference = tables_[table][i];
      const size_t index = ELF64_R_SYM(reference.r_info);
      if (index == 0 || symbols_[index].st_shndx != SHN_UNDEF) continue;
      if (!HoldsAddress(reference)) continue;
      if (ELF64_ST_TYPE(symbols_[index].st_info) == STT_OBJECT) continue;
      visit({strings_ + symbols_[index].st_name, WantedVersion(index),
             reinterpret_cast<uintptr_t*>(base_ + reference.r_offset)},
            data);
    }
  }
}

namespace {

struct Binding {
  const ElfModule* libraries;
  size_t count;
  bool (*leave)(const char* name);
  // What the loader has made read-only; opened when the first word changes.
  uintptr_t read_only_begin = 0;
  uintptr_t read_only_end = 0;
  bool open = false;
  bool failed = false;
};

bool Protect(const Binding& binding, int rights) noexcept {
  return RawSyscall(SYS_mprotect, binding.read_only_begin,
                    binding.read_only_end - binding.read_only_begin, rights) == 0;
}

void Set(Binding& binding, uintptr_t* slot, uintptr_t address) noexcept {
  // relaxed: a word that other threads may call through meanwhile; either value will do.
  if (__atomic_load_n(slot, __ATOMIC_RELAXED) == address) return;
  const uintptr_t at = reinterpret_cast<uintptr_t>(slot);
  if (!binding.open && at >= binding.read_only_begin && at < binding.read_only_end) {
    binding.open = Protect(binding, PROT_READ | PROT_WRITE);
    binding.failed = !binding.open;
    if (binding.failed) return;
  }
  __atomic_store_n(slot, address, __ATOMIC_RELAXED);
}

void Bind(const ElfModule::Import& import, void* data) noexcept {
  Binding& binding = *static_cast<Binding*>(data);
  if (binding.failed || (binding.leave != nullptr && binding.leave(import.name))) return;
  uintptr_t address = 0;
  for (size_t i = 0; i < binding.count && address == 0; ++i) {
    address = binding.libraries[i].Function(import.name, import.version_hash);
  }
  if (address != 0) Set(binding, import.slot, address);
}

// A module's program headers, where they are mapped: at its beginning.
void FindReadOnly(uintptr_t base, Binding* binding) noexcept {
  const auto* const header = reinterpret_cast<const ElfW(Ehdr)*>(base);
  const auto* const parts = reinterpret_cast<const ElfW(Phdr)*>(base + header->e_phoff);
  // As the loader rounds; every page size of these machines is a multiple of this one.
  const uintptr_t kPage = 4096;
  for (unsigned i = 0; i < header->e_phnum; ++i) {
    if (parts[i].p_type != PT_GNU_RELRO) continue;
    binding->read_only_begin = (base + parts[i].p_vaddr) & ~(kPage - 1);
    binding->read_only_end = (base + parts[i].p_vaddr + parts[i].p_memsz) & ~(kPage - 1);
  }
}

}  // namespace

bool BindImports(const ElfModule& module, const ElfModule* libraries, size_t count,
                 bool (*leave)(const char* name)) noexcept {
  Binding binding{.libraries = libraries, .count = count, .leave = leave};
  FindReadOnly(module.base(), &binding);
  module.VisitImports(Bind, &binding);
  if (binding.open) Protect(binding, PROT_READ);
  return !binding.failed;
}

bool SetImport(const ElfModule& module, uintptr_t* slot, uintptr_t address) noexcept {
  Binding binding{.libraries = nullptr, .count = 0, .leave = nullptr};
  FindReadOnly(module.base(), &binding);
  Set(binding, slot, address);
  if (binding.open) Protect(binding, PROT_READ);
  return !binding.failed;
}

}  // namespace heapgauge
