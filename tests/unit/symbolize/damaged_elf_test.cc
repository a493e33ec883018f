// Files that are cut short or have bits flipped: wrong answers are allowed, reading outside the
// file, hanging and throwing are not.
#include <catch2/catch.hpp>
#include <chrono>
#include <random>
#include <string>
#include <vector>

#include "symbolize/elf_symbols.h"
#include "unit/symbolize/fixtures.h"

namespace heapgauge::symbolize {
namespace {

// Everything that reads a file, on a heap block of its exact size (address sanitizer watches it).
void ReadAll(const std::vector<uint8_t>& bytes) {
  const std::vector<uint8_t> exact(bytes);
  const auto image = ElfImage::FromMemory(exact);
  if (!image) return;
  std::vector<uint64_t> addresses;
  for (uint64_t at = 0; at < 0x4000; at += 0x80) addresses.push_back(at);
  addresses.push_back(UINT64_MAX);
  for (const SymbolTable table : {SymbolTable::kFull, SymbolTable::kDynamic}) {
    std::vector<std::string> names(addresses.size());
    NameFromSymbols(*image, table, addresses, names);
    for (const std::string& name : names) CHECK(name.size() <= ElfImage::kMaxString);
  }
  image->ReadDebugLink();
  image->build_id();
}

}  // namespace

TEST_CASE("a file cut anywhere is survived", "[symbolize][elf_image][damage]") {
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

TEST_CASE("flipped bits are survived", "[symbolize][elf_image][damage]") {
  const std::string fixture = GENERATE("split_off", "libstripped.so", "assembly");
  const std::vector<uint8_t> whole =
      symbolize_test::ReadBytes(symbolize_test::FixturePath(fixture));
  const auto image = ElfImage::FromMemory(whole);
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

TEST_CASE("figures at their limits are survived quickly", "[symbolize][elf_image][damage]") {
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

TEST_CASE("what is no ELF file of this machine is refused", "[symbolize][elf_image]") {
  const symbolize_test::TempDir directory;
  CHECK_FALSE(ElfImage::OpenFile((directory / "missing").c_str()));
  CHECK_FALSE(ElfImage::OpenFile(directory.path().c_str()));
  CHECK_FALSE(ElfImage::OpenFile("/dev/zero"));  // endless
  symbolize_test::WriteBytes(directory / "text", std::vector<uint8_t>(1000, 'x'));
  CHECK_FALSE(ElfImage::OpenFile((directory / "text").c_str()));
  symbolize_test::WriteBytes(directory / "empty", {});
  CHECK_FALSE(ElfImage::OpenFile((directory / "empty").c_str()));
  auto other = symbolize_test::ReadBytes(symbolize_test::FixturePath("inlined"));
  other[EI_CLASS] = other[EI_CLASS] == ELFCLASS64 ? ELFCLASS32 : ELFCLASS64;
  CHECK_FALSE(ElfImage::FromMemory(other));
}

}  // namespace heapgauge::symbolize
