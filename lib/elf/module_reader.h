// What a loaded module says of itself: the one reader of dynamic sections, over any memory
// (module_memory.h).
//
// Every figure may be a lie.  Nothing outside the module's extent is read, nothing that can't be
// read is touched, and no list is followed for longer than an honest one is.  (Over TrustedMemory,
// which is for what the loader itself relies on, the extent is not known and not asked for.)
#ifndef HEAPGAUGE_ELF_MODULE_READER_H_
#define HEAPGAUGE_ELF_MODULE_READER_H_

#include <elf.h>
#include <link.h>

#include <cstddef>
#include <cstdint>

#include "base/macros.h"
#include "elf/module_layout.h"
#include "elf/module_memory.h"
#include "elf/relocations.h"

namespace heapgauge {

// Addresses; 0: it has none.
struct ModuleTables {
  static constexpr uint64_t kNoName = UINT64_MAX;

  uintptr_t symbols = 0;
  uintptr_t strings = 0;
  uint64_t strings_bytes = 0;
  uintptr_t hashes = 0;            // DT_GNU_HASH
  uintptr_t versions = 0;          // one a symbol
  uintptr_t defined_versions = 0;  // DT_VERDEF
  uintptr_t needed_versions = 0;   // DT_VERNEED
  struct References {
    uintptr_t begin = 0;
    size_t count = 0;
  } references[2];           // DT_JMPREL, DT_RELA
  uint64_t relative = 0;     // of references[1], how many at its beginning refer to no symbol
  uint64_t name = kNoName;   // DT_SONAME: where it begins in the strings
  bool prefers_own = false;  // -Bsymbolic
};

// Of versions of a symbol: those that are had by asking for no version, and any.
inline constexpr uint32_t kUsualVersion = 0;
inline constexpr uint32_t kAnyVersion = UINT32_MAX;  // no version's hash is as large

template <typename Memory>
class ModuleReader final {
 public:
  // Both must outlive it.
  ModuleReader(Memory& memory, const ModuleLayout& layout) noexcept
      : memory_(memory), layout_(layout) {
    readable_ = ReadDynamic();
  }
  // What was read before, of the same module.
  ModuleReader(Memory& memory, const ModuleLayout& layout, const ModuleTables& tables) noexcept
      : memory_(memory), layout_(layout), tables_(tables), readable_(true) {}

  // False: there is no dynamic section, or it can't be read to its end.
  bool readable() const noexcept { return readable_; }
  const ModuleTables& tables() const noexcept { return tables_; }
  bool HasNames() const noexcept { return tables_.symbols != 0 && tables_.strings != 0; }

  // nullptr for what lies outside.
  HG_ALWAYS_INLINE const char* TextAt(uint64_t offset) noexcept {
    if constexpr (!Memory::kTrusted) {
      if (tables_.strings == 0 || offset >= tables_.strings_bytes) return nullptr;
      if (!layout_.HoldsAll(tables_.strings + offset, 1)) return nullptr;
    }
    return memory_.Text(tables_.strings + offset);
  }

  HG_ALWAYS_INLINE const ElfW(Sym) * SymbolAt(size_t index, ElfW(Sym) * room) noexcept {
    return Get(tables_.symbols + index * sizeof *room, room);
  }

  // Calls visit(entry) with each entry of the dynamic section.  False when one can't be read.
  template <typename Visit>
  HG_ALWAYS_INLINE bool VisitDynamic(Visit visit) noexcept {
    const AddressRange& section = layout_.dynamic;
    size_t entries = 0;
    for (uintptr_t at = section.begin; section.end - at >= sizeof(ElfW(Dyn));
         at += sizeof(ElfW(Dyn))) {
      if (++entries > kMostEntries) return false;
      ElfW(Dyn) room;
      const ElfW(Dyn)* const entry = Get(at, &room);
      if (entry == nullptr) return false;
      if (entry->d_tag == DT_NULL) break;
      visit(*entry);
    }
    return section.begin != section.end;
  }

  // Calls visit(name) with each library that the module needs.
  template <typename Visit>
  void VisitNeeded(Visit visit) noexcept {
    VisitDynamic([&](const ElfW(Dyn) & entry) {
      if (entry.d_tag != DT_NEEDED) return;
      if (const char* const name = TextAt(entry.d_un.d_val)) visit(name);
    });
  }

  // Calls visit(reference, index, symbol, name) with each word of the module that is to hold the
  // address of a symbol, be it its own or another module's.  What can't be read is passed over.
  template <typename Visit>
  HG_ALWAYS_INLINE void VisitReferences(Visit visit) noexcept {
    if (!HasNames()) return;
    for (const ModuleTables::References& table : tables_.references) {
      for (size_t i = 0; i < table.count; ++i) {
        ElfW(Rela) reference_room;
        const auto* const reference = Get(table.begin + i * sizeof(ElfW(Rela)), &reference_room);
        if (reference == nullptr) break;
        const size_t index = ELF64_R_SYM(reference->r_info);
        if (index == 0 || !HoldsAddress(*reference)) continue;
        ElfW(Sym) symbol_room;
        const ElfW(Sym)* const symbol = SymbolAt(index, &symbol_room);
        if (symbol == nullptr) continue;
        const char* const name = TextAt(symbol->st_name);
        if (name != nullptr) visit(*reference, index, *symbol, name);
      }
    }
  }

  // What the module defines under `name`, of the version whose hash is given: the first that
  // accept(symbol) takes.  False when there is none.
  template <typename Accept>
  HG_ALWAYS_INLINE bool FindDefinition(const char* name, uint32_t version_hash, Accept accept,
                                       ElfW(Sym) * found) noexcept {
    return FindHashed(name, HashOf(name), version_hash, accept, found);
  }
  // The same by HashOf(name).
  template <typename Accept>
  HG_ALWAYS_INLINE bool FindHashed(const char* name, uint32_t hash, uint32_t version_hash,
                                   Accept accept, ElfW(Sym) * found) noexcept {
    HashHead head_room;
    const HashHead* const head = HashTable(&head_room);
    if (head == nullptr || !MayHave(*head, hash)) return false;
    const uintptr_t buckets =
        tables_.hashes + sizeof(HashHead) + uint64_t{head->bloom_words} * sizeof(ElfW(Addr));
    const uintptr_t chain = buckets + uint64_t{head->bucket_count} * sizeof(uint32_t);
    uint32_t room;
    const uint32_t* const bucket =
        Get(buckets + uint64_t{hash % head->bucket_count} * sizeof room, &room);
    if (bucket == nullptr || *bucket < head->first || *bucket == 0) return false;
    uint64_t index = *bucket;
    for (size_t step = 0; step < kMostSteps; ++step, ++index) {
      const uint32_t* const entry = Get(chain + (index - head->first) * sizeof room, &room);
      if (entry == nullptr) return false;
      const uint32_t hashed = *entry;
      if ((hashed | 1) == (hash | 1)) {
        ElfW(Sym) symbol_room;
        const ElfW(Sym)* const symbol = SymbolAt(index, &symbol_room);
        if (symbol == nullptr) return false;
        const char* const text = TextAt(symbol->st_name);
        if (symbol->st_shndx != SHN_UNDEF && text != nullptr && Equal(text, name) &&
            HasVersion(index, version_hash) && accept(*symbol)) {
          *found = *symbol;
          return true;
        }
      }
      if ((hashed & 1) != 0) break;
    }
    return false;
  }

  // The hash of the version that the module asks for of a symbol of others; 0: of none.
  HG_ALWAYS_INLINE uint32_t WantedVersion(size_t index) noexcept {
    if (tables_.versions == 0 || tables_.needed_versions == 0) return 0;
    ElfW(Half) version_room;
    const ElfW(Half)* const version =
        Get(tables_.versions + index * sizeof version_room, &version_room);
    if (version == nullptr) return 0;
    const uint16_t wanted = *version & kVersionMask;
    uintptr_t file = tables_.needed_versions;
    size_t steps = 0;
    for (;;) {
      ElfW(Verneed) file_room;
      const ElfW(Verneed)* const needed = Get(file, &file_room);
      if (needed == nullptr) return 0;
      const uint32_t next_file = needed->vn_next;
      for (uintptr_t at = file + needed->vn_aux; steps < kMostSteps; ++steps) {
        ElfW(Vernaux) entry_room;
        const ElfW(Vernaux)* const entry = Get(at, &entry_room);
        if (entry == nullptr) return 0;
        if ((entry->vna_other & kVersionMask) == wanted) return entry->vna_hash;
        if (entry->vna_next == 0) break;
        at += entry->vna_next;
      }
      if (next_file == 0 || ++steps >= kMostSteps) return 0;
      file += next_file;
    }
  }

  // False: the module has no symbol of that HashOf(), neither a definition nor a stub that stands for
  // another module's function.  True says little.
  HG_ALWAYS_INLINE bool MayHave(uint32_t hash) noexcept {
    HashHead room;
    const HashHead* const head = HashTable(&room);
    return head != nullptr && MayHave(*head, hash);
  }

  // What a name is looked up by.
  HG_ALWAYS_INLINE static uint32_t HashOf(const char* name) noexcept {
    uint32_t hash = 5381;
    for (; *name != '\0'; ++name) hash = hash * 33 + static_cast<uint8_t>(*name);
    return hash;
  }

 private:
  // Of a list: the longest honest ones have some hundred.
  static constexpr size_t kMostSteps = size_t{1} << 16;
  static constexpr size_t kMostEntries = 4096;  // of the dynamic section; honest ones have 30
  static constexpr uint16_t kHidden = 0x8000;   // an old version, had only by those who ask for it
  static constexpr uint16_t kVersionMask = 0x7FFF;

  template <typename Entry>
  HG_ALWAYS_INLINE const Entry* Get(uintptr_t at, Entry* room) noexcept {
    if constexpr (!Memory::kTrusted) {
      if (!layout_.HoldsAll(at, sizeof(Entry))) return nullptr;
    }
    return memory_.Get(at, room);
  }

  struct HashHead {
    uint32_t bucket_count;
    uint32_t first;
    uint32_t bloom_words;
    uint32_t bloom_shift;
  };

  // nullptr: names can't be looked up.
  HG_ALWAYS_INLINE const HashHead* HashTable(HashHead* room) noexcept {
    if (!HasNames() || tables_.hashes == 0) return nullptr;
    const HashHead* const head = Get(tables_.hashes, room);
    return head != nullptr && head->bucket_count != 0 && head->bloom_words != 0 ? head : nullptr;
  }

  HG_ALWAYS_INLINE bool MayHave(const HashHead& head, uint32_t hash) noexcept {
    constexpr uint32_t kBits = sizeof(ElfW(Addr)) * 8;
    ElfW(Addr) room;
    const uintptr_t bloom = tables_.hashes + sizeof(HashHead);
    const auto* const word = Get(bloom + (hash / kBits) % head.bloom_words * sizeof room, &room);
    return word != nullptr && ((*word >> (hash % kBits)) &
                               (*word >> ((hash >> (head.bloom_shift % 32)) % kBits)) & 1) != 0;
  }

  HG_ALWAYS_INLINE static bool Equal(const char* a, const char* b) noexcept {
    while (*a != '\0' && *a == *b) {
      ++a;
      ++b;
    }
    return *a == *b;
  }

  HG_ALWAYS_INLINE bool ReadDynamic() noexcept {
    uint64_t bytes[2] = {};
    bool plt_is_rela = true;
    const bool whole = VisitDynamic([&](const ElfW(Dyn) & entry) {
      const uint64_t value = entry.d_un.d_val;
      const auto tag = entry.d_tag;
      // Not a switch: that may become a table of addresses, and is no faster here.
      if (tag == DT_SYMTAB) tables_.symbols = layout_.Resolve(value);
      if (tag == DT_STRTAB) tables_.strings = layout_.Resolve(value);
      if (tag == DT_STRSZ) tables_.strings_bytes = value;
      if (tag == DT_GNU_HASH) tables_.hashes = layout_.Resolve(value);
      if (tag == DT_VERSYM) tables_.versions = layout_.Resolve(value);
      if (tag == DT_VERDEF) tables_.defined_versions = layout_.Resolve(value);
      if (tag == DT_VERNEED) tables_.needed_versions = layout_.Resolve(value);
      if (tag == DT_JMPREL) tables_.references[0].begin = layout_.Resolve(value);
      if (tag == DT_PLTRELSZ) bytes[0] = value;
      if (tag == DT_PLTREL) plt_is_rela = value == DT_RELA;
      if (tag == DT_RELA) tables_.references[1].begin = layout_.Resolve(value);
      if (tag == DT_RELASZ) bytes[1] = value;
      if (tag == DT_RELACOUNT) tables_.relative = value;
      if (tag == DT_SONAME) tables_.name = value;
      if (tag == DT_SYMBOLIC || (tag == DT_FLAGS && (value & DF_SYMBOLIC) != 0)) {
        tables_.prefers_own = true;
      }
    });
    if (!plt_is_rela) tables_.references[0].begin = 0;
    for (int i = 0; i < 2; ++i) {
      ModuleTables::References& table = tables_.references[i];
      if (table.begin == 0) continue;
      const uint64_t room = layout_.extent.end - table.begin;
      table.count = (bytes[i] < room ? bytes[i] : room) / sizeof(ElfW(Rela));
    }
    // The loader goes by this figure, too.
    ModuleTables::References& table = tables_.references[1];
    const size_t skipped = tables_.relative < table.count ? tables_.relative : table.count;
    table.begin += skipped * sizeof(ElfW(Rela));
    table.count -= skipped;
    return whole;
  }

  HG_ALWAYS_INLINE bool HasVersion(size_t index, uint32_t version_hash) noexcept {
    if (tables_.versions == 0 || version_hash == kAnyVersion) return true;
    ElfW(Half) version_room;
    const ElfW(Half)* const read =
        Get(tables_.versions + index * sizeof version_room, &version_room);
    if (read == nullptr) return false;
    const uint16_t version = *read;
    if (version_hash == kUsualVersion || tables_.defined_versions == 0) {
      return (version & kHidden) == 0;
    }
    uintptr_t at = tables_.defined_versions;
    for (size_t step = 0; step < kMostSteps; ++step) {
      ElfW(Verdef) entry_room;
      const ElfW(Verdef)* const entry = Get(at, &entry_room);
      if (entry == nullptr) return false;
      if (entry->vd_ndx == (version & kVersionMask)) return entry->vd_hash == version_hash;
      if (entry->vd_next == 0) return false;
      at += entry->vd_next;
    }
    return false;
  }

  Memory& memory_;
  const ModuleLayout& layout_;
  ModuleTables tables_;
  bool readable_ = false;
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_ELF_MODULE_READER_H_
