#include "elf/elf_symbols.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "unit/symbolize/fixtures.h"

namespace heapgauge::symbolize {
namespace {

using symbolize_test::FixturePath;
using symbolize_test::Probe;

// Address of a symbol, by its name, from the table itself.
uint64_t AddressOf(const elf::ElfImage& image, const std::string& name) {
  const auto* const table = image.FindSection(SHT_SYMTAB);
  REQUIRE(table != nullptr);
  const auto& strings = image.sections()[table->sh_link];
  for (uint64_t at = 0; at < table->sh_size; at += sizeof(ElfW(Sym))) {
    ElfW(Sym) symbol;
    REQUIRE(image.ReadExactly(table->sh_offset + at, &symbol, sizeof symbol));
    if (image.ReadString(strings.sh_offset + symbol.st_name) == name) return symbol.st_value;
  }
  FAIL("no symbol " << name);
  return 0;
}

std::string NameOf(const elf::ElfImage& image, elf::SymbolTable table, uint64_t address) {
  std::vector<std::string> names(1);
  const std::vector<uint64_t> addresses = {address};
  elf::NameFromSymbols(image, table, addresses, names);
  return names[0];
}

}  // namespace

TEST_CASE("addresses inside functions get their names", "[elf][elf_symbols]") {
  const auto addresses = Probe("inlined");
  const auto image = elf::ElfImage::OpenFile(FixturePath("inlined").c_str());
  REQUIRE(image);
  CHECK(NameOf(*image, elf::SymbolTable::kFull, addresses.at("inlined").offset) ==
        "_ZN4shop4Cart8CheckoutEv");
  CHECK(NameOf(*image, elf::SymbolTable::kFull, addresses.at("hidden").offset) ==
        "_ZN4shop12_GLOBAL__N_16HiddenEv");
  CHECK(NameOf(*image, elf::SymbolTable::kFull, addresses.at("plain").offset) == "PlainName");
  CHECK(NameOf(*image, elf::SymbolTable::kFull, addresses.at("main").offset) == "main");
}

TEST_CASE("many addresses are named in one pass as they are singly", "[elf][elf_symbols]") {
  const auto image = elf::ElfImage::OpenFile(FixturePath("inlined").c_str());
  REQUIRE(image);
  std::vector<uint64_t> addresses;
  for (uint64_t at = 0x700; at < 0x3000; at += 7) addresses.push_back(at);
  std::vector<std::string> names(addresses.size());
  elf::NameFromSymbols(*image, elf::SymbolTable::kFull, addresses, names);
  size_t named = 0;
  for (size_t i = 0; i < addresses.size(); ++i) {
    INFO(std::hex << addresses[i]);
    CHECK(names[i] == NameOf(*image, elf::SymbolTable::kFull, addresses[i]));
    named += names[i].empty() ? 0 : 1;
  }
  CHECK(named > 50);
  CHECK(named < addresses.size());  // gaps and other sections stay unnamed
}

TEST_CASE("a name that is there already is kept", "[elf][elf_symbols]") {
  const auto image = elf::ElfImage::OpenFile(FixturePath("inlined").c_str());
  REQUIRE(image);
  const std::vector<uint64_t> addresses = {AddressOf(*image, "main")};
  std::vector<std::string> names = {"known"};
  elf::NameFromSymbols(*image, elf::SymbolTable::kFull, addresses, names);
  CHECK(names[0] == "known");
}

TEST_CASE("a symbol without size reaches to the next, one with size ends", "[elf][elf_symbols]") {
  const auto image = elf::ElfImage::OpenFile(FixturePath("assembly").c_str());
  REQUIRE(image);
  const uint64_t sized = AddressOf(*image, "SizedAssembly");
  const uint64_t unsized_at = AddressOf(*image, "UnsizedAssembly");
  CHECK(NameOf(*image, elf::SymbolTable::kFull, sized) == "SizedAssembly");
  // On machines with instructions of four bytes the sizes are four times these.
  const uint64_t nop = (unsized_at - sized) / 31;
  CHECK(NameOf(*image, elf::SymbolTable::kFull, sized + 16 * nop - 1) == "SizedAssembly");
  CHECK(NameOf(*image, elf::SymbolTable::kFull, sized + 16 * nop) == "");
  CHECK(NameOf(*image, elf::SymbolTable::kFull, unsized_at) == "UnsizedAssembly");
  CHECK(NameOf(*image, elf::SymbolTable::kFull, unsized_at + 14 * nop) == "UnsizedAssembly");
}

TEST_CASE("a stripped library is named from its dynamic symbols", "[elf][elf_symbols]") {
  const auto addresses = Probe("shared_user");
  const auto image = elf::ElfImage::OpenFile(FixturePath("libstripped.so").c_str());
  REQUIRE(image);
  const uint64_t entry = addresses.at("library_entry").offset;
  CHECK(NameOf(*image, elf::SymbolTable::kFull, entry) == "");
  CHECK(NameOf(*image, elf::SymbolTable::kDynamic, entry) == "LibraryEntry");
  CHECK(NameOf(*image, elf::SymbolTable::kDynamic, addresses.at("library_static").offset) == "");
}

}  // namespace heapgauge::symbolize
