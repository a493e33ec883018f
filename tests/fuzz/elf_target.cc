// ELF files, as the half of the symbolizer inside a host reads them.
#include <fstream>
#include <iterator>

#include "elf/build_id.h"
#include "elf/elf_symbols.h"
#include "target.h"

namespace heapgauge::fuzz {

void RunTarget(const uint8_t* data, size_t size) {
  const Guarded file(data, size);
  FindBuildId({file.begin(), file.end()}, 4);
  FindBuildId({file.begin(), file.end()}, 8);
  const auto image = elf::ElfImage::FromMemory({file.begin(), file.end()});
  if (!image) return;
  std::vector<uint64_t> addresses;
  for (uint64_t at = 0; at < 0x3000; at += 0x40) addresses.push_back(at);
  addresses.push_back(UINT64_MAX);
  for (const elf::SymbolTable table : {elf::SymbolTable::kFull, elf::SymbolTable::kDynamic}) {
    std::vector<std::string> names(addresses.size());
    elf::NameFromSymbols(*image, table, addresses, names);
  }
  image->FindSection(".debug_info");
  image->ReadDebugLink();
  image->Crc();
}

std::vector<Bytes> Seeds() {
  std::vector<Bytes> seeds;
  for (const char* path : {SEED_WHOLE, SEED_STRIPPED}) {
    std::ifstream file(path, std::ios::binary);
    seeds.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  return seeds;
}

}  // namespace heapgauge::fuzz
