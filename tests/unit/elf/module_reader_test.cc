// What a loaded module says of itself: of modules that are honest, and of ones that lie.
#include "elf/module_reader.h"

#include <dlfcn.h>
#include <sys/mman.h>

#include <catch2/catch.hpp>
#include <functional>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "elf/imports.h"
#include "elf/module_around.h"
#include "unit/elf/built_module.h"

namespace heapgauge {
namespace {

using elf_test::BuiltModule;
constexpr uintptr_t kBase = BuiltModule::kBase;

const auto kAnything = [](const ElfW(Sym)&) { return true; };

class CountedMemory final {
 public:
  static constexpr bool kTrusted = false;
  explicit CountedMemory(const BuiltModule& module) : bytes_(module.memory()) {}

  template <typename Entry>
  const Entry* Get(uintptr_t at, Entry* room) {
    ++reads;
    return bytes_.Get(at, room);
  }
  const char* Text(uintptr_t at) {
    ++reads;
    return bytes_.Text(at);
  }
  size_t reads = 0;

 private:
  BytesMemory bytes_;
};

struct Reference {
  std::string name;
  uint64_t word;
  uint32_t wanted;
  bool operator==(const Reference&) const = default;
};
std::ostream& operator<<(std::ostream& out, const Reference& one) {
  return out << one.name << '@' << one.word << '/' << one.wanted;
}

template <typename Memory>
std::vector<Reference> ReferencesOf(ModuleReader<Memory>& reader) {
  std::vector<Reference> all;
  reader.VisitReferences(
      [&](const ElfW(Rela) & reference, size_t index, const ElfW(Sym)&, const char* name) {
        all.push_back({std::string(name, strnlen(name, kLongestName)), reference.r_offset,
                       reader.WantedVersion(index)});
      });
  return all;
}

// Everything that can be asked; how many reads it took.
size_t AskEverything(const BuiltModule& module) {
  CountedMemory memory(module);
  ModuleLayout layout;
  if (!ReadLayoutAt(memory, kBase, &layout)) return memory.reads;
  CHECK(layout.extent.end >= layout.extent.begin);
  CHECK(layout.dynamic.end >= layout.dynamic.begin);
  ModuleReader<CountedMemory> reader(memory, layout);
  for (const char* const name : {"alpha", "beta", "gamma", "delta", "", "no such name at all"}) {
    for (const uint32_t version : {kUsualVersion, kAnyVersion, BuiltModule::kHiddenHash}) {
      ElfW(Sym) found{};
      reader.FindDefinition(name, version, kAnything, &found);
    }
  }
  reader.VisitNeeded([](const char* name) { CHECK(strnlen(name, kLongestName) <= kLongestName); });
  for (size_t i = 0; i < 8; ++i) reader.WantedVersion(i);
  reader.WantedVersion(SIZE_MAX);
  ReferencesOf(reader);
  return memory.reads;
}

// The longest lists that are followed: versions of six names, three times; of references.
constexpr size_t kMostReads = size_t{1} << 21;

void Survive(const BuiltModule& module) { CHECK(AskEverything(module) < kMostReads); }

}  // namespace

TEST_CASE("a module's layout is read from its headers", "[elf][module_reader]") {
  const BuiltModule module;
  BytesMemory memory = module.memory();
  ModuleLayout layout;
  REQUIRE(ReadLayoutAt(memory, kBase, &layout));
  CHECK(layout.bias == kBase);
  CHECK(layout.extent.begin == kBase);
  CHECK(layout.extent.end == kBase + BuiltModule::kBytes);
  CHECK(layout.writable.begin == kBase + 0x1000);
  CHECK(layout.writable.end == kBase + 0x2000);
  CHECK(layout.relro.begin == kBase + 0x1000);
  CHECK(layout.dynamic.begin == kBase + BuiltModule::kDynamic);
  CHECK(layout.dynamic.end == layout.dynamic.begin + module.dynamic_bytes);
  const AddressRange pages = WholePages({0x1010, 0x3ff8}, 4096);
  CHECK(pages.begin == 0x1000);
  CHECK(pages.end == 0x3000);
}

TEST_CASE("a module that is linked to an address of its own has another bias",
          "[elf][module_reader]") {
  BuiltModule module;
  for (size_t i = 0; i < 4; ++i) module.segment(i).p_vaddr += 0x400000;
  BytesMemory memory = module.memory();
  ModuleLayout layout;
  REQUIRE(ReadLayoutAt(memory, kBase, &layout));
  CHECK(layout.bias == kBase - 0x400000);
  CHECK(layout.extent.begin == kBase);
  CHECK(layout.dynamic.begin == kBase + BuiltModule::kDynamic);
}

TEST_CASE("a module's tables are read, its pointers relocated or not", "[elf][module_reader]") {
  const bool relocated = GENERATE(true, false);
  const BuiltModule module(relocated);
  BytesMemory memory = module.memory();
  ModuleLayout layout;
  REQUIRE(ReadLayoutAt(memory, kBase, &layout));
  ModuleReader<BytesMemory> reader(memory, layout);
  REQUIRE(reader.readable());
  CHECK(reader.tables().symbols == kBase + module.symbols_at);
  CHECK(reader.tables().strings == kBase + module.strings_at);
  CHECK(reader.tables().references[0].count == 2);
  CHECK(reader.TextAt(reader.tables().name) == std::string("libbuilt.so.1"));
  std::vector<std::string> needed;
  reader.VisitNeeded([&](const char* name) { needed.emplace_back(name); });
  CHECK(needed == std::vector<std::string>{"libneeded.so.7"});

  const auto find = [&](const char* name, uint32_t version) -> uint64_t {
    ElfW(Sym) found{};
    return reader.FindDefinition(name, version, kAnything, &found) ? found.st_value : 0;
  };
  CHECK(find("alpha", kUsualVersion) == 0x100);
  CHECK(find("alpha", BuiltModule::kDefinedHash) == 0x100);
  CHECK(find("alpha", BuiltModule::kHiddenHash) == 0x120);
  CHECK(find("alpha", 0x99) == 0);
  CHECK(find("alpha", kAnyVersion) != 0);
  CHECK(find("beta", kUsualVersion) == 0x140);
  CHECK(find("gamma", kAnyVersion) == 0x1900);
  CHECK(find("delta", kAnyVersion) == 0);  // another module's
  CHECK(find("zeta", kAnyVersion) == 0);
  ElfW(Sym) found{};
  CHECK_FALSE(reader.FindDefinition(
      "gamma", kAnyVersion,
      [](const ElfW(Sym) & one) { return ELF64_ST_TYPE(one.st_info) == STT_FUNC; }, &found));

  // The one that has something added is no word through which anything is called.
  CHECK(ReferencesOf(reader) ==
        std::vector<Reference>{{"delta", BuiltModule::kWords, BuiltModule::kNeededHash},
                               {"epsilon", BuiltModule::kWords + 8, 0},
                               {"beta", BuiltModule::kWords + 16, 0}});
}

TEST_CASE("the loader may have relocated some pointers of a module and left others",
          "[elf][module_reader]") {
  for (const int64_t left : {DT_SYMTAB, DT_STRTAB, DT_GNU_HASH, DT_VERSYM, DT_VERDEF, DT_VERNEED}) {
    BuiltModule module;
    module.dynamic(left).d_un.d_ptr -= kBase;
    BytesMemory memory = module.memory();
    ModuleLayout layout;
    REQUIRE(ReadLayoutAt(memory, kBase, &layout));
    ModuleReader<BytesMemory> reader(memory, layout);
    ElfW(Sym) found{};
    REQUIRE(reader.FindDefinition("alpha", BuiltModule::kHiddenHash, kAnything, &found));
    CHECK(found.st_value == 0x120);
    CHECK(ReferencesOf(reader).size() == 3);
    CHECK(ReferencesOf(reader)[0].wanted == BuiltModule::kNeededHash);
  }
}

TEST_CASE("pointers of a module that lead out of it lead nowhere", "[elf][module_reader][damage]") {
  const uint64_t outside = GENERATE(uint64_t{1}, kBase - 1, kBase + BuiltModule::kBytes,
                                    uint64_t{BuiltModule::kBytes}, UINT64_MAX, uint64_t{1} << 63);
  for (const int64_t tag :
       {DT_SYMTAB, DT_STRTAB, DT_GNU_HASH, DT_VERSYM, DT_VERDEF, DT_VERNEED, DT_JMPREL, DT_RELA}) {
    BuiltModule module;
    module.dynamic(tag).d_un.d_ptr = outside;
    Survive(module);
  }
  BuiltModule module;
  BytesMemory memory = module.memory();
  ModuleLayout layout;
  REQUIRE(ReadLayoutAt(memory, kBase, &layout));
  if (outside != 1) CHECK(layout.Resolve(outside) == 0);
}

TEST_CASE("a module that is cut anywhere is survived", "[elf][module_reader][damage]") {
  const BuiltModule whole;
  for (size_t size = 0; size < BuiltModule::kBytes; ++size) {
    if (size > 0x900 && size < 0x1000) continue;  // nothing stands there
    BuiltModule module;
    module.bytes.resize(size);
    module.bytes.shrink_to_fit();
    Survive(module);
    // The headers say more than there is.
    BytesMemory memory = module.memory();
    ModuleLayout layout;
    CHECK(ReadLayoutAt(memory, kBase, &layout) ==
          (size >= sizeof(Elf64_Ehdr) + 4 * sizeof(Elf64_Phdr)));
  }
}

TEST_CASE("a module's bytes of any value are survived", "[elf][module_reader][damage]") {
  for (size_t at = 0; at < BuiltModule::kBytes; ++at) {
    if (at >= 0x900 && at < 0x1000) continue;
    if (at >= 0x1200) break;
    for (const int value : {0x00, 0x01, 0x7f, 0x80, 0xff}) {
      BuiltModule module;
      module.bytes[at] = static_cast<uint8_t>(value);
      Survive(module);
    }
  }
}

TEST_CASE("modules with figures at random are survived", "[elf][module_reader][damage]") {
  std::mt19937_64 random(11);
  const std::vector<uint64_t> odd = {0,          1,          2,          8,         0xffff,
                                     0xffffffff, UINT64_MAX, kBase,      kBase - 8, UINT64_MAX - 7,
                                     0x2000,     0x1fff,     1ULL << 32, 1ULL << 63};
  for (int round = 0; round < 20000; ++round) {
    BuiltModule module(round % 2 == 0);
    for (size_t flips = 1 + random() % 4; flips > 0; --flips) {
      const size_t place = random() % (0x900 + 0x200);
      const size_t at = (place < 0x900 ? place : place - 0x900 + 0x1000) & ~size_t{3};
      const uint64_t value = random() % 4 == 0 ? random() : odd[random() % odd.size()];
      const size_t width = random() % 2 == 0 ? 4 : 8;
      std::memcpy(module.bytes.data() + at, &value, width);
    }
    Survive(module);
  }
}

TEST_CASE("a module's headers that can't be believed are refused", "[elf][module_reader][damage]") {
  const std::vector<std::function<void(BuiltModule&)>> lies = {
      [](BuiltModule& m) { m.header().e_ident[0] = 0; },
      [](BuiltModule& m) { m.header().e_ident[EI_CLASS] = ELFCLASS32; },
      [](BuiltModule& m) { m.header().e_phentsize = 32; },
      [](BuiltModule& m) { m.header().e_phnum = 0xffff; },
      [](BuiltModule& m) { m.header().e_phnum = 0; },
      [](BuiltModule& m) { m.header().e_phoff = UINT64_MAX; },
      [](BuiltModule& m) { m.header().e_phoff = uint64_t{1} << 40; },
      [](BuiltModule& m) { m.segment(0).p_type = m.segment(1).p_type = PT_NULL; },
      [](BuiltModule& m) { m.segment(0).p_memsz = m.segment(1).p_memsz = 0; },
      [](BuiltModule& m) { m.segment(0).p_memsz = m.segment(1).p_memsz = UINT64_MAX; },
  };
  for (const auto& lie : lies) {
    BuiltModule module;
    lie(module);
    BytesMemory memory = module.memory();
    ModuleLayout layout;
    CHECK_FALSE(ReadLayoutAt(memory, kBase, &layout));
    Survive(module);
  }
}

TEST_CASE("segments that overlap are one module", "[elf][module_reader][damage]") {
  BuiltModule module;
  module.segment(1).p_vaddr = 0x800;
  module.segment(1).p_memsz = 0x1800;
  BytesMemory memory = module.memory();
  ModuleLayout layout;
  REQUIRE(ReadLayoutAt(memory, kBase, &layout));
  CHECK(layout.extent.end == kBase + 0x2000);
  CHECK(layout.writable.begin == kBase + 0x800);
  module.segment(1) = module.segment(0);
  Survive(module);
  // One within the other.
  module.segment(1).p_vaddr = 0x10;
  module.segment(1).p_memsz = 0x10;
  REQUIRE(ReadLayoutAt(memory, kBase, &layout));
  CHECK(layout.extent.end == kBase + 0x1000);
}

TEST_CASE("a segment that would not fit into the address space is passed over",
          "[elf][module_reader][damage]") {
  BuiltModule module;
  module.segment(1).p_memsz = UINT64_MAX - 0x800;
  BytesMemory memory = module.memory();
  ModuleLayout layout;
  REQUIRE(ReadLayoutAt(memory, kBase, &layout));
  CHECK(layout.extent.end == kBase + 0x1000);
  CHECK(layout.writable.end == 0);
  ModuleReader<BytesMemory> reader(memory, layout);
  CHECK_FALSE(reader.readable());  // the dynamic section lies outside what is left
}

TEST_CASE("a dynamic section without an end is read to the end of its segment",
          "[elf][module_reader][damage]") {
  BuiltModule module;
  module.dynamic(DT_NULL) = module.dynamic(DT_STRSZ);
  BytesMemory memory = module.memory();
  ModuleLayout layout;
  REQUIRE(ReadLayoutAt(memory, kBase, &layout));
  {
    ModuleReader<BytesMemory> reader(memory, layout);
    CHECK(reader.readable());
    CHECK(ReferencesOf(reader).size() == 3);
  }
  // And one that claims to be longer than its module.
  module.segment(2).p_memsz = uint64_t{1} << 40;
  for (uint64_t at = BuiltModule::kDynamic; at + 16 <= BuiltModule::kBytes; at += 16) {
    if (module.At<Elf64_Dyn>(at).d_tag == DT_NULL) module.At<Elf64_Dyn>(at).d_tag = DT_DEBUG;
  }
  REQUIRE(ReadLayoutAt(memory, kBase, &layout));
  ModuleReader<BytesMemory> reader(memory, layout);
  CHECK_FALSE(reader.readable());
}

TEST_CASE("strings of a module that don't end are not read past its end",
          "[elf][module_reader][damage]") {
  BuiltModule module;
  // The table at the module's very end, full of letters.
  module.dynamic(DT_STRTAB).d_un.d_ptr = kBase + 0x1f00;
  module.dynamic(DT_STRSZ).d_un.d_val = UINT64_MAX;
  std::memset(module.bytes.data() + 0x1f00, 'x', 0x100);
  for (uint32_t i = 0; i < 0x110; ++i) {
    for (size_t s = 1; s < 7; ++s) module.symbol(s).st_name = i;
    Survive(module);
    BytesMemory memory = module.memory();
    ModuleLayout layout;
    REQUIRE(ReadLayoutAt(memory, kBase, &layout));
    ModuleReader<BytesMemory> reader(memory, layout);
    CHECK(ReferencesOf(reader).size() == (i <= 0x100 - kLongestName ? 3 : 0));
  }
}

TEST_CASE("counts of references that lie are cut to the module", "[elf][module_reader][damage]") {
  const uint64_t claimed = GENERATE(uint64_t{1} << 20, uint64_t{1} << 40, UINT64_MAX);
  BuiltModule module;
  module.dynamic(DT_PLTRELSZ).d_un.d_val = claimed;
  module.dynamic(DT_RELASZ).d_un.d_val = claimed;
  CountedMemory memory(module);
  ModuleLayout layout;
  REQUIRE(ReadLayoutAt(memory, kBase, &layout));
  ModuleReader<CountedMemory> reader(memory, layout);
  for (const auto& table : reader.tables().references) {
    CHECK(table.begin + table.count * sizeof(Elf64_Rela) <= kBase + BuiltModule::kBytes);
  }
  ReferencesOf(reader);
  CHECK(memory.reads < 10000);
}

TEST_CASE("hash tables of a module that lie are left", "[elf][module_reader][damage]") {
  const std::vector<std::function<void(BuiltModule&)>> lies = {
      [](BuiltModule& m) { m.hash_words()[0] = 0; },
      [](BuiltModule& m) { m.hash_words()[0] = UINT32_MAX; },
      [](BuiltModule& m) { m.hash_words()[1] = UINT32_MAX; },
      [](BuiltModule& m) { m.hash_words()[2] = 0; },
      [](BuiltModule& m) { m.hash_words()[2] = UINT32_MAX; },
      [](BuiltModule& m) {  // chains that don't end, to the module's end
        for (uint32_t i = 0; i < m.chain_words; ++i) m.hash_words()[8 + i] &= ~1U;
      },
      [](BuiltModule& m) {  // and past it
        m.hash_words()[6] = m.hash_words()[7] = UINT32_MAX;
      },
      [](BuiltModule& m) {  // one chain into the other
        m.hash_words()[6] = m.hash_words()[7] = BuiltModule::kFirst;
        for (uint32_t i = 0; i < m.chain_words; ++i) m.hash_words()[8 + i] &= ~1U;
      },
      [](BuiltModule& m) {
        m.hash_words()[3] = UINT32_MAX;
        std::memset(m.bytes.data() + m.hashes_at + 16, 0xff, 8);
      },
  };
  for (const auto& lie : lies) {
    BuiltModule module;
    lie(module);
    CHECK(AskEverything(module) < 20000);
  }
}

TEST_CASE("lists of versions that lead in circles are left", "[elf][module_reader][damage]") {
  // Offsets are added, so a circle is one that goes by nothing, or on by a byte.
  for (const uint32_t step : {0U, 1U, 4U, 0xffffffffU}) {
    BuiltModule module;
    auto& defined = module.At<Elf64_Verdef>(module.defined_at);
    defined.vd_ndx = 0x7ff0;
    defined.vd_next = step;
    auto& needed = module.At<Elf64_Verneed>(module.needed_at);
    auto& entry = module.At<Elf64_Vernaux>(module.needed_at + sizeof needed);
    needed.vn_next = step;
    needed.vn_aux = step;
    entry.vna_other = 0x7ff0;
    entry.vna_next = step;
    Survive(module);
  }
  // A list that is as long as its module.
  BuiltModule module;
  module.bytes.resize(64 << 20, 1);
  module.segment(1).p_memsz = module.bytes.size() - 0x1000;
  module.dynamic(DT_VERNEED).d_un.d_ptr = kBase + 0x2000;
  module.dynamic(DT_VERDEF).d_un.d_ptr = kBase + 0x2000;
  Survive(module);
}

TEST_CASE("what a library defines is found as dlsym() finds it", "[elf][module_reader]") {
  const ModuleAround around(&dlsym);
  REQUIRE(around.found());
  const ElfModule trusted(*around.map());
  CheckedMemory memory;
  ModuleLayout layout;
  REQUIRE(ReadLayoutAt(memory, around.begin(), &layout));
  CHECK(layout.bias == around.map()->l_addr);
  CHECK(layout.extent.end >= around.range().end);
  CHECK(layout.dynamic.begin == reinterpret_cast<uintptr_t>(around.map()->l_ld));
  ModuleReader<CheckedMemory> reader(memory, layout);
  REQUIRE(reader.readable());
  CHECK(reader.TextAt(reader.tables().name) == std::string("libc.so.6"));
  CHECK(trusted.name() == std::string("libc.so.6"));
  CHECK(trusted.HasSymbols());
  for (const char* const name : {"malloc", "free", "fopen", "pthread_create", "dlopen", "qsort"}) {
    INFO(name);
    const auto expected = reinterpret_cast<uintptr_t>(dlsym(RTLD_DEFAULT, name));
    ElfW(Sym) found{};
    REQUIRE(reader.FindDefinition(name, kUsualVersion, kAnything, &found));
    if (around.range().Holds(expected)) CHECK(layout.bias + found.st_value == expected);
    CHECK(trusted.Function(name, 0) == layout.bias + found.st_value);
    CHECK(trusted.FunctionOfAnyVersion(name) != 0);
  }
  CHECK(trusted.FunctionOfAnyVersion("no such function") == 0);
  CHECK(trusted.Function("environ", 0) == 0);
  CHECK(trusted.Variable("environ") != 0);
}

TEST_CASE("what a module can't have is told by its filter alone", "[elf][module_reader]") {
  const BuiltModule module;
  BytesMemory memory = module.memory();
  ModuleLayout layout;
  REQUIRE(ReadLayoutAt(memory, kBase, &layout));
  ModuleReader<BytesMemory> reader(memory, layout);
  using Hashed = ModuleReader<BytesMemory>;
  for (const char* const name : {"alpha", "beta", "gamma"}) {
    CHECK(reader.MayHave(Hashed::HashOf(name)));
    ElfW(Sym) found{};
    CHECK(reader.FindHashed(name, Hashed::HashOf(name), kAnyVersion, kAnything, &found));
  }
  CHECK_FALSE(reader.MayHave(Hashed::HashOf("delta")));  // another module's
  CHECK_FALSE(reader.MayHave(Hashed::HashOf("zeta")));

  // A stub of a program's is no definition, and is there: the program's own address of a function.
  BuiltModule stub;
  for (uint32_t i = BuiltModule::kFirst; i < BuiltModule::kFirst + stub.chain_words; ++i) {
    stub.symbol(i).st_shndx = SHN_UNDEF;
  }
  BytesMemory stubs = stub.memory();
  ModuleReader<BytesMemory> other(stubs, layout);
  ElfW(Sym) found{};
  CHECK(other.MayHave(Hashed::HashOf("alpha")));
  CHECK_FALSE(other.FindDefinition("alpha", kAnyVersion, kAnything, &found));

  const ModuleAround around(&AskEverything);
  REQUIRE(around.found());
  const ElfModule program(*around.map());
  CHECK_FALSE(program.MayHave("no such function in any program"));
  CHECK(ElfModule().MayHave("anything"));  // nothing is known of it
}

TEST_CASE("this program's references are its imports", "[elf][module_reader]") {
  const ModuleAround around(&AskEverything);
  REQUIRE(around.found());
  CHECK(around.name() == std::string());
  const ElfModule trusted(*around.map());
  CHECK(trusted.Needs("libc.so.6"));
  CHECK_FALSE(trusted.Needs("libnone.so"));
  CheckedMemory memory;
  ModuleLayout layout;
  REQUIRE(ReadLayoutAt(memory, around.begin(), &layout));
  ModuleReader<CheckedMemory> reader(memory, layout);
  std::map<uintptr_t, std::string> words;
  reader.VisitReferences([&](const ElfW(Rela) & reference, size_t, const ElfW(Sym)&,
                             const char* name) { words[layout.bias + reference.r_offset] = name; });
  size_t count = 0;
  struct Known {
    std::map<uintptr_t, std::string>& words;
    size_t& count;
  } known{words, count};
  trusted.VisitImports(
      [](const ElfModule::Import& import, void* data) {
        const Known& it = *static_cast<Known*>(data);
        CHECK(it.words[reinterpret_cast<uintptr_t>(import.slot)] == import.name);
        ++it.count;
      },
      &known);
  CHECK(count > 20);
}

TEST_CASE("pages of a module that are gone are not touched", "[elf][module_reader][damage]") {
  // As a file that was cut short leaves them: mapped, and deadly.  Here they can't be read at all.
  for (const size_t gone : {size_t{0}, size_t{1}}) {
    const BuiltModule module;
    void* const room = mmap(nullptr, BuiltModule::kBytes, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    REQUIRE(room != MAP_FAILED);
    std::memcpy(room, module.bytes.data(), module.bytes.size());
    const auto base = reinterpret_cast<uintptr_t>(room);
    ModuleLayout layout{.bias = base,
                        .extent = {base, base + BuiltModule::kBytes},
                        .writable = {},
                        .relro = {},
                        .dynamic = {base + BuiltModule::kDynamic, base + BuiltModule::kBytes}};
    for (uint64_t at = BuiltModule::kDynamic; at < BuiltModule::kDynamic + module.dynamic_bytes;
         at += sizeof(Elf64_Dyn)) {
      auto* const entry = reinterpret_cast<Elf64_Dyn*>(base + at);
      if (entry->d_un.d_ptr >= kBase) entry->d_un.d_ptr -= kBase;
    }
    REQUIRE(mprotect(static_cast<char*>(room) + gone * 0x1000, 0x1000, PROT_NONE) == 0);
    CheckedMemory memory;
    CHECK(ReadLayoutAt(memory, base, &layout) == (gone != 0));
    ModuleReader<CheckedMemory> reader(memory, layout);
    CHECK(reader.readable() == (gone == 0));
    ElfW(Sym) found{};
    CHECK_FALSE(reader.FindDefinition("alpha", kAnyVersion, kAnything, &found));
    CHECK(ReferencesOf(reader).empty());
    munmap(room, BuiltModule::kBytes);
  }
}

TEST_CASE("an address outside all modules has none around it", "[elf][module_around]") {
  int on_the_stack = 0;
  for (const void* const address :
       {static_cast<const void*>(nullptr), static_cast<const void*>(&on_the_stack),
        reinterpret_cast<const void*>(UINTPTR_MAX)}) {
    const ModuleAround around(address);
    CHECK_FALSE(around.found());
    CHECK(around.map() == nullptr);
    CHECK(around.name() == nullptr);
    CHECK(around.begin() == 0);
    CHECK_FALSE(around.range().Holds(reinterpret_cast<uintptr_t>(address)));
  }
}

}  // namespace heapgauge
