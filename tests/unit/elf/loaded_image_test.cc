#include <dlfcn.h>
#include <link.h>

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "elf/elf_image.h"
#include "elf/elf_symbols.h"

namespace heapgauge::elf {
namespace {

struct Module {
  ElfImage::Loaded loaded;
  std::string path;
};

std::vector<Module> LoadedModules() {
  std::vector<Module> modules;
  dl_iterate_phdr(
      [](dl_phdr_info* info, size_t, void* data) {
        Module module;
        module.path = info->dlpi_name;
        module.loaded.bias = info->dlpi_addr;
        module.loaded.begin = UINTPTR_MAX;
        for (size_t i = 0; i < info->dlpi_phnum; ++i) {
          const ElfW(Phdr)& segment = info->dlpi_phdr[i];
          const uintptr_t begin = info->dlpi_addr + segment.p_vaddr;
          if (segment.p_type == PT_LOAD) {
            module.loaded.begin = std::min(module.loaded.begin, begin);
            module.loaded.end = std::max(module.loaded.end, begin + segment.p_memsz);
          }
          if (segment.p_type == PT_DYNAMIC) module.loaded.dynamic = begin;
        }
        static_cast<std::vector<Module>*>(data)->push_back(module);
        return 0;
      },
      &modules);
  return modules;
}

}  // namespace

TEST_CASE("a loaded module has the symbols in memory that its file has", "[elf][loaded_image]") {
  size_t compared = 0;
  for (const Module& module : LoadedModules()) {
    if (!module.path.starts_with('/')) continue;  // the vdso; this program may export nothing
    INFO(module.path);
    const auto file = ElfImage::OpenFile(module.path.c_str());
    const auto loaded = ElfImage::FromLoaded(module.loaded);
    REQUIRE(file);
    REQUIRE(loaded);
    const auto* const in_file = file->FindSection(SHT_DYNSYM);
    const auto* const in_memory = loaded->FindSection(SHT_DYNSYM);
    REQUIRE(in_file != nullptr);
    REQUIRE(in_memory != nullptr);
    // What only imports may have no chain to be counted by.
    if (in_memory->sh_size < in_file->sh_size) continue;
    CHECK(in_memory->sh_size == in_file->sh_size);
    ++compared;
  }
  CHECK(compared >= 2);  // libc, libm or libstdc++
}

TEST_CASE("functions are named by a loaded module", "[elf][loaded_image]") {
  Dl_info info;
  REQUIRE(dladdr(dlsym(RTLD_NEXT, "qsort"), &info) != 0);
  const auto base = reinterpret_cast<uintptr_t>(info.dli_fbase);
  for (const Module& module : LoadedModules()) {
    if (module.loaded.begin != base) continue;
    const auto image = ElfImage::FromLoaded(module.loaded);
    REQUIRE(image);
    const std::vector<uint64_t> addresses = {reinterpret_cast<uintptr_t>(info.dli_saddr) -
                                             module.loaded.bias + 1};
    std::vector<std::string> names(1);
    NameFromSymbols(*image, SymbolTable::kDynamic, addresses, names);
    CHECK(names[0] == "qsort");
    return;
  }
  FAIL("no module at " << base);
}

TEST_CASE("tables in memory that lie name nothing and harm nobody", "[elf][loaded_image]") {
  // A module of one page with a dynamic section whose tables are anywhere.
  alignas(4096) static unsigned char page[4096];
  const auto begin = reinterpret_cast<uintptr_t>(page);
  auto* const dynamic = reinterpret_cast<ElfW(Dyn)*>(page);
  uint32_t random = 1;
  const auto next = [&] { return random = random * 1664525U + 1013904223U; };
  for (int round = 0; round < 2000; ++round) {
    for (unsigned char& byte : page) byte = static_cast<unsigned char>(next() >> 24);
    const ElfW(Sxword)
        tags[] = {DT_SYMTAB, DT_STRTAB, DT_STRSZ, round % 2 == 0 ? DT_HASH : DT_GNU_HASH};
    for (int i = 0; i < 4; ++i) {
      dynamic[i].d_tag = tags[i];
      if (i != 2) dynamic[i].d_un.d_ptr = next() % (round % 3 == 0 ? 4096 : 4200);
    }
    const auto image = ElfImage::FromLoaded({begin, begin + sizeof page, begin, begin});
    if (!image) continue;
    const std::vector<uint64_t> addresses = {16, 2048};
    std::vector<std::string> names(2);
    NameFromSymbols(*image, SymbolTable::kDynamic, addresses, names);
  }
  CHECK_FALSE(ElfImage::FromLoaded({begin, begin, begin, begin}));
  CHECK_FALSE(ElfImage::FromLoaded({begin, begin + sizeof page, begin, 0}));
}

}  // namespace heapgauge::elf
