// Files that are cut short or have bits flipped: wrong answers are allowed, reading outside the
// file, hanging and throwing are not.
#include <catch2/catch.hpp>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "elf/elf_symbols.h"
#include "unit/symbolize/fixtures.h"

namespace heapgauge::symbolize {
namespace {

// Everything that reads a file, on a heap block of its exact size (address sanitizer watches it).
void ReadAll(const std::vector<uint8_t>& bytes) {
  const std::vector<uint8_t> exact(bytes);
  const auto image = elf::ElfImage::FromMemory(exact);
  if (!image) return;
  std::vector<uint64_t> addresses;
  for (uint64_t at = 0; at < 0x4000; at += 0x80) addresses.push_back(at);
  addresses.push_back(UINT64_MAX);
  for (const elf::SymbolTable table : {elf::SymbolTable::kFull, elf::SymbolTable::kDynamic}) {
    std::vector<std::string> names(addresses.size());
    elf::NameFromSymbols(*image, table, addresses, names);
    for (const std::string& name : names) CHECK(name.size() <= elf::ElfImage::kMaxString);
  }
  image->ReadDebugLink();
  image->build_id();
}

}  // namespace

TEST_CASE("a file cut anywhere is survived", "[elf][elf_image][damage]") {
  const std::vector<uint8_t> whole =
      symbolize_test::ReadBytes(symbolize_test::FixturePath("split_off"));
  std::mt19937 random(1);
  for (size_t size = 0; size < 200; ++size) {
    ReadAll({whole.begin(), whole.begin() + static_cast<ptrdiff_t>(size)});
  }
  for (int round = 0; round < 300; ++round) {
    const size_t size = random() % whole.size();
    ReadAll({whole.begin(), whole.begin() + static_cast<ptrdiff_t>(size)});
  }
}

TEST_CASE("flipped bits are survived", "[elf][elf_image][damage]") {
  const std::string fixture = GENERATE("split_off", "libstripped.so", "assembly");
  const std::vector<uint8_t> whole =
      symbolize_test::ReadBytes(symbolize_test::FixturePath(fixture));
  const auto image = elf::ElfImage::FromMemory(whole);
  REQUIRE(image);
  ElfW(Ehdr) header;
  REQUIRE(image->ReadExactly(0, &header, sizeof header));
  std::mt19937 random(2);
  for (int round = 0; round < 1500; ++round) {
    std::vector<uint8_t> damaged = whole;
    // Half of the rounds in the tables that lead to everything else.
    const size_t flips = 1 + random() % 8;
    for (size_t i = 0; i < flips; ++i) {
      size_t at = random() % damaged.size();
      if (round % 2 == 0) at = random() % sizeof header;
      if (round % 4 == 0) at = header.e_shoff + random() % (header.e_shnum * sizeof(ElfW(Shdr)));
      damaged[at] ^= static_cast<uint8_t>(1U << (random() % 8));
    }
    ReadAll(damaged);
  }
}

TEST_CASE("figures at their limits are survived quickly", "[elf][elf_image][damage]") {
  const std::vector<uint8_t> whole =
      symbolize_test::ReadBytes(symbolize_test::FixturePath("split_off"));
  const auto start = std::chrono::steady_clock::now();
  ElfW(Ehdr) header;
  std::copy(whole.begin(), whole.begin() + sizeof header, reinterpret_cast<uint8_t*>(&header));
  for (size_t section = 0; section < header.e_shnum; ++section) {
    for (size_t field = 0; field < sizeof(ElfW(Shdr)); field += 4) {
      std::vector<uint8_t> damaged = whole;
      const size_t at = header.e_shoff + section * sizeof(ElfW(Shdr)) + field;
      std::fill_n(damaged.begin() + static_cast<ptrdiff_t>(at), 4, uint8_t{0xFF});
      ReadAll(damaged);
    }
  }
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(60));
}

// Read to its end, such a table takes minutes and goes through the page cache of the machine.
TEST_CASE("a file of holes that claims tables of 400 GiB costs no more than its bound",
          "[elf][elf_image][damage]") {
  const symbolize_test::TempDir directory;
  const std::string path = directory / "sparse";
  const uint32_t claimed = GENERATE(uint32_t{SHT_SYMTAB}, uint32_t{SHT_NOTE});
  auto bytes = symbolize_test::ReadBytes(symbolize_test::FixturePath("inlined"));
  ElfW(Ehdr) header;
  std::memcpy(&header, bytes.data(), sizeof header);
  for (size_t i = 1; i < header.e_shnum; ++i) {
    ElfW(Shdr) section;
    uint8_t* const at = bytes.data() + header.e_shoff + i * sizeof section;
    std::memcpy(&section, at, sizeof section);
    const bool changed = claimed == SHT_NOTE || section.sh_type == claimed;
    if (!changed) continue;
    section.sh_type = claimed;
    section.sh_size = uint64_t{400} << 30;
    std::memcpy(at, &section, sizeof section);
  }
  symbolize_test::WriteBytes(path, bytes);
  std::error_code too_large;
  std::filesystem::resize_file(path, uint64_t{512} << 30, too_large);
  if (too_large) std::filesystem::resize_file(path, uint64_t{60} << 30);
  const auto image = elf::ElfImage::OpenFile(path.c_str());
  REQUIRE(image);
  const std::vector<uint64_t> addresses = {0x1000, 0x1100, 0x1200};
  std::vector<std::string> names(addresses.size());
  elf::NameFromSymbols(*image, elf::SymbolTable::kFull, addresses, names);
  std::vector<uint8_t> more(64 * 1024);
  if (claimed == SHT_SYMTAB)
    CHECK(image->Read(0, more.data(), more.size()) == 0);  // its bound is met
  // The helper has names and lines of it, or its end is seen; never a wait without one.
  Symbolizer symbolizer(
      {.mode = SymbolizeMode::kLines, .helper = HELPER, .helper_limit = std::chrono::seconds(20)});
  const std::vector<ModuleAddress> asked = {{path, "", 0x1100}};
  CHECK(symbolizer.Symbolize(asked).size() == 1);
}

// A symbol that reaches over everything, a million times.
TEST_CASE("symbols that all cover every address end in time", "[elf][elf_image][damage]") {
  ElfW(Ehdr) header{};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = sizeof(void*) == 8 ? ELFCLASS64 : ELFCLASS32;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_shoff = sizeof header;
  header.e_shentsize = sizeof(ElfW(Shdr));
  header.e_shnum = 3;
  constexpr size_t kSymbols = 1'000'000;
  ElfW(Shdr) sections[3]{};
  const size_t strings_at = sizeof header + sizeof sections;
  sections[1].sh_type = SHT_STRTAB;
  sections[1].sh_offset = strings_at;
  sections[1].sh_size = 8;
  sections[2].sh_type = SHT_SYMTAB;
  sections[2].sh_link = 1;
  sections[2].sh_offset = strings_at + 8;
  sections[2].sh_entsize = sizeof(ElfW(Sym));
  sections[2].sh_size = kSymbols * sizeof(ElfW(Sym));
  std::vector<uint8_t> bytes(strings_at + 8 + sections[2].sh_size);
  std::memcpy(bytes.data(), &header, sizeof header);
  std::memcpy(bytes.data() + sizeof header, sections, sizeof sections);
  std::memcpy(bytes.data() + strings_at, "\0wide", 6);
  ElfW(Sym) wide{};
  wide.st_name = 1;
  wide.st_info = (STB_GLOBAL << 4) | STT_FUNC;
  wide.st_shndx = 1;
  wide.st_size = UINT32_MAX;
  for (size_t i = 0; i < kSymbols; ++i) {
    std::memcpy(bytes.data() + sections[2].sh_offset + i * sizeof wide, &wide, sizeof wide);
  }
  const auto image = elf::ElfImage::FromMemory(bytes);
  REQUIRE(image);
  std::vector<uint64_t> addresses;
  for (uint64_t i = 0; i < 50'000; ++i) addresses.push_back(i * 16);
  std::vector<std::string> names(addresses.size());
  elf::NameFromSymbols(*image, elf::SymbolTable::kFull, addresses, names);
  CHECK(names.front() == "wide");
}

TEST_CASE("what is no ELF file of this machine is refused", "[elf][elf_image]") {
  const symbolize_test::TempDir directory;
  CHECK_FALSE(elf::ElfImage::OpenFile((directory / "missing").c_str()));
  CHECK_FALSE(elf::ElfImage::OpenFile(directory.path().c_str()));
  CHECK_FALSE(elf::ElfImage::OpenFile("/dev/zero"));  // endless
  symbolize_test::WriteBytes(directory / "text", std::vector<uint8_t>(1000, 'x'));
  CHECK_FALSE(elf::ElfImage::OpenFile((directory / "text").c_str()));
  symbolize_test::WriteBytes(directory / "empty", {});
  CHECK_FALSE(elf::ElfImage::OpenFile((directory / "empty").c_str()));
  auto other = symbolize_test::ReadBytes(symbolize_test::FixturePath("inlined"));
  other[EI_CLASS] = other[EI_CLASS] == ELFCLASS64 ? ELFCLASS32 : ELFCLASS64;
  CHECK_FALSE(elf::ElfImage::FromMemory(other));
}

}  // namespace heapgauge::symbolize
