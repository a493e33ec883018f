#include "symbolize/module_map.h"

#include <dlfcn.h>
#include <math.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>

#include "elf/elf_image.h"
#include "symbolize/main_executable.h"
#include "unit/symbolize/fixtures.h"

namespace heapgauge {
namespace {

using symbolize_test::FixturePath;

uintptr_t AddressOf(const void* pointer) { return reinterpret_cast<uintptr_t>(pointer); }

template <typename Function>
uintptr_t AddressOfFunction(Function* function) {
  return reinterpret_cast<uintptr_t>(function);
}

const ModuleMap::Module* FindByPath(const ModuleMap& map, const std::string& end) {
  const auto found =
      std::find_if(map.modules().begin(), map.modules().end(),
                   [&](const ModuleMap::Module& module) { return module.path.ends_with(end); });
  return found == map.modules().end() ? nullptr : &*found;
}

}  // namespace

TEST_CASE("own code is in the executable, with its build-id", "[symbolize][module_map]") {
  const ModuleMap map;
  const uintptr_t here = AddressOfFunction(&symbolize_test::FixturePath);
  const ModuleAddress address = map.Locate(here);
  CHECK(address.module == std::filesystem::read_symlink("/proc/self/exe").string());
  const auto file = elf::ElfImage::OpenFile(address.module.c_str());
  REQUIRE(file);
  CHECK_FALSE(address.build_id.empty());
  CHECK(address.build_id == file->build_id());
  const auto index = map.Find(here);
  REQUIRE(index);
  CHECK(map.modules()[*index].bias + address.offset == here);
}

TEST_CASE("code of the C library is in the C library", "[symbolize][module_map]") {
  const ModuleMap map;
  const void* const function = dlsym(RTLD_NEXT, "getppid");
  REQUIRE(function != nullptr);
  const ModuleAddress address = map.Locate(AddressOf(function));
  CHECK(address.module.find("libc.so") != std::string::npos);
  const auto file = elf::ElfImage::OpenFile(address.module.c_str());
  REQUIRE(file);
  CHECK(address.build_id == file->build_id());
}

TEST_CASE("an address outside every module keeps itself", "[symbolize][module_map]") {
  const ModuleMap map;
  int on_the_stack = 0;
  for (const uintptr_t pc : {uintptr_t{0}, uintptr_t{1}, UINTPTR_MAX, AddressOf(&on_the_stack)}) {
    CHECK_FALSE(map.Find(pc));
    const ModuleAddress address = map.Locate(pc);
    CHECK(address.module == "");
    CHECK(address.build_id == "");
    CHECK(address.offset == pc);
  }
}

TEST_CASE("executable ranges are found from the first byte to the last",
          "[symbolize][module_map][M2]") {
  const ModuleMap map;
  for (size_t i = 0; i < map.modules().size(); ++i) {
    INFO(map.modules()[i].path);
    for (const ModuleMap::Range& range : map.modules()[i].executable) {
      CHECK(map.Find(range.begin) == i);
      CHECK(map.Find(range.end - 1) == i);
      CHECK(map.Find(range.end) != i);
    }
  }
}

TEST_CASE("a refresh without a change does nothing", "[symbolize][module_map]") {
  ModuleMap map;
  CHECK_FALSE(map.Refresh());
}

TEST_CASE("a library is seen when it comes and known after it went",
          "[symbolize][module_map][M1]") {
  ModuleMap map;
  const std::string path = FixturePath("libfixture_shared.so");
  CHECK(FindByPath(map, "libfixture_shared.so") == nullptr);
  void* const library = dlopen(path.c_str(), RTLD_NOW);
  REQUIRE(library != nullptr);
  const uintptr_t entry = AddressOf(dlsym(library, "LibraryEntry"));
  CHECK_FALSE(map.Find(entry));
  CHECK(map.Refresh());
  const ModuleAddress loaded = map.Locate(entry);
  CHECK(loaded.module == path);

  dlclose(library);
  CHECK(map.Refresh());
  const ModuleAddress gone = map.Locate(entry);
  CHECK(gone.module == path);
  CHECK(gone.build_id == loaded.build_id);
  CHECK(gone.offset == loaded.offset);
  const ModuleMap::Module* const module = FindByPath(map, "libfixture_shared.so");
  REQUIRE(module != nullptr);
  CHECK_FALSE(module->loaded);
}

TEST_CASE("a module gives way to the one that takes its addresses", "[symbolize][module_map][M1]") {
  ModuleMap map;
  // The loader maps the second where the first was: same sizes, nothing else moved.  Its content
  // differs in the build-id alone.
  const symbolize_test::TempDir directory;
  const std::string paths[] = {directory / "first.so", directory / "second.so"};
  for (const std::string& path : paths) {
    std::filesystem::copy_file(FixturePath("libfixture_shared.so"), path);
  }
  void* const first = dlopen(paths[0].c_str(), RTLD_NOW);
  REQUIRE(first != nullptr);
  const uintptr_t entry = AddressOf(dlsym(first, "LibraryEntry"));
  map.Refresh();
  REQUIRE(map.Locate(entry).module == paths[0]);
  dlclose(first);
  void* const second = dlopen(paths[1].c_str(), RTLD_NOW);
  REQUIRE(second != nullptr);
  const uintptr_t moved = AddressOf(dlsym(second, "LibraryEntry"));
  CHECK(map.Refresh());
  CHECK(map.Locate(moved).module == paths[1]);
  if (moved == entry) {
    CHECK(FindByPath(map, "first.so") == nullptr);
  } else {
    CHECK(map.Locate(entry).module == paths[0]);
  }
  dlclose(second);
}

TEST_CASE("loading and unloading for ever does not grow the map", "[symbolize][module_map]") {
  ModuleMap map;
  size_t most = 0;
  for (int round = 0; round < 200; ++round) {
    void* const library = dlopen(FixturePath("libfixture_shared.so").c_str(), RTLD_NOW);
    REQUIRE(library != nullptr);
    map.Refresh();
    dlclose(library);
    map.Refresh();
    most = std::max(most, map.modules().size());
  }
  // The same place is taken again and again; sanitizers' allocators may move it now and then.
  CHECK(most < ModuleMap().modules().size() + 50);
}

TEST_CASE("a library loaded by a relative name is known by its full one",
          "[symbolize][module_map]") {
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(FixturePath(""));
  void* const library = dlopen("./libfixture_shared.so", RTLD_NOW);
  REQUIRE(library != nullptr);
  ModuleMap map;
  std::filesystem::current_path("/");
  const ModuleMap::Module* module = FindByPath(map, "/libfixture_shared.so");
  REQUIRE(module != nullptr);
  CHECK(module->path == std::filesystem::canonical(FixturePath("libfixture_shared.so")).string());
  // And stays so when the map changes after the directory did.
  void* const other = dlopen(FixturePath("libstripped.so").c_str(), RTLD_NOW);
  REQUIRE(other != nullptr);
  CHECK(map.Refresh());
  module = FindByPath(map, "/libfixture_shared.so");
  REQUIRE(module != nullptr);
  CHECK(module->path.starts_with('/'));
  dlclose(other);
  dlclose(library);
  std::filesystem::current_path(before);
}

TEST_CASE("the file mapped at an address is read from the kernel", "[symbolize][main_executable]") {
  CHECK(symbolize::MappedFileAt(AddressOfFunction(&symbolize_test::FixturePath)) ==
        symbolize::MainExecutablePath());
  CHECK(symbolize::MappedFileAt(0) == "");
  int on_the_stack = 0;
  CHECK(symbolize::MappedFileAt(AddressOf(&on_the_stack)) == "");
}

}  // namespace heapgauge
