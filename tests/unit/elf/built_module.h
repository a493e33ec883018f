// A module as the loader would have it in memory, made by hand so that each figure in it can lie.
#ifndef HEAPGAUGE_TESTS_UNIT_ELF_BUILT_MODULE_H_
#define HEAPGAUGE_TESTS_UNIT_ELF_BUILT_MODULE_H_

#include <elf.h>
#include <link.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "elf/module_memory.h"
#include "elf/relocations.h"

namespace heapgauge::elf_test {

inline uint32_t GnuHash(const std::string& name) {
  uint32_t hash = 5381;
  for (const char c : name) hash = hash * 33 + static_cast<uint8_t>(c);
  return hash;
}

// Two pages: tables in the first, which is read-only, the dynamic section and four words in the
// second.  It defines alpha (version 2, and a hidden one of version 3), beta and a variable, gamma;
// and refers to delta (of version 0x77 of another library), epsilon and its own beta.
struct BuiltModule {
  static constexpr uintptr_t kBase = 0x7f5500000000;
  static constexpr size_t kBytes = 0x2000;
  static constexpr uint64_t kDynamic = 0x1000;
  static constexpr uint64_t kWords = 0x1800;
  static constexpr uint32_t kDefinedHash = 0x22;
  static constexpr uint32_t kHiddenHash = 0x33;
  static constexpr uint32_t kNeededHash = 0x77;
  static constexpr uint32_t kBuckets = 2;
  static constexpr uint32_t kFirst = 3;  // the first symbol that is hashed

  explicit BuiltModule(bool relocated = true) : bytes(kBytes) {
    BuildStrings();
    BuildSymbols();
    BuildVersions();
    BuildReferences();
    BuildDynamic(relocated);
    BuildHeaders();
  }

  template <typename Entry>
  Entry& At(uint64_t offset) {
    return *reinterpret_cast<Entry*>(bytes.data() + offset);
  }
  Elf64_Ehdr& header() { return At<Elf64_Ehdr>(0); }
  Elf64_Phdr& segment(size_t i) {
    return At<Elf64_Phdr>(sizeof(Elf64_Ehdr) + i * sizeof(Elf64_Phdr));
  }
  Elf64_Dyn& dynamic(int64_t tag) {
    for (uint64_t at = kDynamic;; at += sizeof(Elf64_Dyn)) {
      if (At<Elf64_Dyn>(at).d_tag == tag || At<Elf64_Dyn>(at).d_tag == DT_NULL)
        return At<Elf64_Dyn>(at);
    }
  }
  Elf64_Sym& symbol(size_t i) { return At<Elf64_Sym>(symbols_at + i * sizeof(Elf64_Sym)); }
  uint32_t* hash_words() { return &At<uint32_t>(hashes_at); }
  BytesMemory memory() const { return {kBase, bytes}; }

  uint64_t strings_at = 0x200;
  uint64_t symbols_at = 0x400;
  uint64_t versions_at = 0x600;
  uint64_t defined_at = 0x640;
  uint64_t needed_at = 0x6c0;
  uint64_t hashes_at = 0x700;
  uint64_t plt_at = 0x800;
  uint64_t rela_at = 0x880;
  uint64_t strings_bytes = 0;
  std::vector<uint8_t> bytes;

 private:
  uint32_t AddString(const std::string& text) {
    const auto at = static_cast<uint32_t>(strings_bytes);
    std::memcpy(bytes.data() + strings_at + at, text.c_str(), text.size() + 1);
    strings_bytes += text.size() + 1;
    return at;
  }
  void BuildStrings() {
    AddString("");
    names = {AddString("delta"), AddString("epsilon")};
    name_at = AddString("libbuilt.so.1");
    needed_name = AddString("libneeded.so.7");
  }
  void BuildSymbols() {
    symbol(1) = {names[0], ELF64_ST_INFO(STB_GLOBAL, STT_FUNC), 0, SHN_UNDEF, 0, 0};
    symbol(2) = {names[1], ELF64_ST_INFO(STB_GLOBAL, STT_NOTYPE), 0, SHN_UNDEF, 0, 0};
    struct Defined {
      std::string name;
      uint64_t value;
      unsigned char type;
      uint16_t version;
    };
    std::vector<Defined> defined = {{"alpha", 0x100, STT_FUNC, 2},
                                    {"alpha", 0x120, STT_FUNC, 3 | 0x8000},
                                    {"beta", 0x140, STT_FUNC, 1},
                                    {"gamma", 0x1900, STT_OBJECT, 1}};
    // As the table has them: by bucket.
    std::stable_sort(defined.begin(), defined.end(), [](const Defined& a, const Defined& b) {
      return GnuHash(a.name) % kBuckets < GnuHash(b.name) % kBuckets;
    });
    uint32_t* const words = hash_words();
    words[0] = kBuckets;
    words[1] = kFirst;
    words[2] = 1;  // of the filter
    words[3] = 6;
    auto& filter = At<uint64_t>(hashes_at + 16);
    uint32_t* const buckets = words + 6;
    uint32_t* const chain = buckets + kBuckets;
    for (uint32_t i = 0; i < defined.size(); ++i) {
      const Defined& one = defined[i];
      const uint32_t hash = GnuHash(one.name);
      const uint32_t index = kFirst + i;
      symbol(index) = {
          AddString(one.name), ELF64_ST_INFO(STB_GLOBAL, one.type), 0, 1, one.value, 16};
      At<uint16_t>(versions_at + index * 2) = one.version;
      if (one.name == "beta") beta = index;
      if (buckets[hash % kBuckets] == 0) buckets[hash % kBuckets] = index;
      chain[i] = hash & ~1U;
      if (i + 1 == defined.size() || GnuHash(defined[i + 1].name) % kBuckets != hash % kBuckets) {
        chain[i] |= 1;
      }
      filter |= uint64_t{1} << (hash % 64) | uint64_t{1} << ((hash >> 6) % 64);
    }
    chain_words = static_cast<uint32_t>(defined.size());
  }
  void BuildVersions() {
    At<uint16_t>(versions_at + 2) = 4;
    At<uint16_t>(versions_at + 4) = 1;
    At<Elf64_Verdef>(defined_at) = {1, 0, 2, 1, kDefinedHash, sizeof(Elf64_Verdef), 0x20};
    At<Elf64_Verdef>(defined_at + 0x20) = {1, 0, 3, 1, kHiddenHash, sizeof(Elf64_Verdef), 0};
    At<Elf64_Verneed>(needed_at) = {1, 1, needed_name, sizeof(Elf64_Verneed), 0};
    At<Elf64_Vernaux>(needed_at + sizeof(Elf64_Verneed)) = {kNeededHash, 0, 4, 0, 0};
  }
  void BuildReferences() {
    At<Elf64_Rela>(plt_at) = {kWords, ELF64_R_INFO(uint64_t{1}, kJumpSlot), 0};
    At<Elf64_Rela>(plt_at + sizeof(Elf64_Rela)) = {kWords + 8, ELF64_R_INFO(uint64_t{2}, kJumpSlot),
                                                   0};
    At<Elf64_Rela>(rela_at) = {kWords + 16, ELF64_R_INFO(uint64_t{beta}, kGlobalData), 0};
    At<Elf64_Rela>(rela_at + sizeof(Elf64_Rela)) = {kWords + 24,
                                                    ELF64_R_INFO(uint64_t{beta}, kAbsolute), 8};
  }
  void BuildDynamic(bool relocated) {
    uint64_t at = kDynamic;
    const auto add = [&](int64_t tag, uint64_t value) {
      At<Elf64_Dyn>(at) = {tag, {value}};
      at += sizeof(Elf64_Dyn);
    };
    const uint64_t added = relocated ? kBase : 0;
    add(DT_NEEDED, needed_name);
    add(DT_SONAME, name_at);
    add(DT_STRTAB, strings_at + added);
    add(DT_SYMTAB, symbols_at + added);
    add(DT_STRSZ, strings_bytes);
    add(DT_GNU_HASH, hashes_at + added);
    add(DT_VERSYM, versions_at + added);
    add(DT_VERDEF, defined_at + added);
    add(DT_VERNEED, needed_at + added);
    add(DT_PLTREL, DT_RELA);
    add(DT_JMPREL, plt_at + added);
    add(DT_PLTRELSZ, 2 * sizeof(Elf64_Rela));
    add(DT_RELA, rela_at + added);
    add(DT_RELASZ, 2 * sizeof(Elf64_Rela));
    add(DT_NULL, 0);
    dynamic_bytes = at - kDynamic;
  }
  void BuildHeaders() {
    Elf64_Ehdr& file = header();
    std::memcpy(file.e_ident, ELFMAG, SELFMAG);
    file.e_ident[EI_CLASS] = ELFCLASS64;
    file.e_ident[EI_DATA] = ELFDATA2LSB;
    file.e_type = ET_DYN;
    file.e_phoff = sizeof(Elf64_Ehdr);
    file.e_phentsize = sizeof(Elf64_Phdr);
    file.e_phnum = 4;
    segment(0) = {PT_LOAD, PF_R | PF_X, 0, 0, 0, 0x1000, 0x1000, 0x1000};
    segment(1) = {PT_LOAD, PF_R | PF_W, 0x1000, 0x1000, 0x1000, 0x1000, 0x1000, 0x1000};
    segment(2) = {PT_DYNAMIC, PF_R | PF_W,   kDynamic,      kDynamic,
                  kDynamic,   dynamic_bytes, dynamic_bytes, 8};
    segment(3) = {PT_GNU_RELRO, PF_R, kDynamic, kDynamic, kDynamic, 0x1000, 0x1000, 1};
  }

 public:
  std::vector<uint32_t> names;
  uint32_t name_at = 0;
  uint32_t needed_name = 0;
  uint32_t beta = 0;
  uint32_t chain_words = 0;
  uint64_t dynamic_bytes = 0;
};

}  // namespace heapgauge::elf_test

#endif  // HEAPGAUGE_TESTS_UNIT_ELF_BUILT_MODULE_H_
