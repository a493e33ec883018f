// What the shim finds out about the core's file, what came with it, and pages.
#include <dlfcn.h>
#include <link.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <string>

#include "elf/module_around.h"
#include "shim/core_file.h"
#include "shim/core_modules.h"
#include "shim/read_only_pages.h"

namespace heapgauge {
namespace {

constexpr char kCore[] = SHIM_MODULES "/libshim_user_now.so";

struct Place {
  Place()
      : path(std::filesystem::temp_directory_path() / ("unit_shim." + std::to_string(getpid()))) {}
  ~Place() { std::filesystem::remove_all(path); }
  const std::filesystem::path path;
};

}  // namespace

TEST_CASE("a core that is cut short is not loaded", "[shim][core_file]") {
  CHECK(MayBeLoaded(kCore));
  const Place place;
  std::filesystem::copy_file(kCore, place.path);
  CHECK(MayBeLoaded(place.path.c_str()));
  // Behind the last segment stand sections, which the loader does not map.
  const auto whole = std::filesystem::file_size(place.path);
  bool ever = false;
  bool cut = false;
  for (auto size = whole; size > 0; size -= size > 512 ? 512 : size) {
    std::filesystem::resize_file(place.path, size);
    const bool may = MayBeLoaded(place.path.c_str());
    CHECK_FALSE((may && cut));  // once too short, always
    ever = ever || may;
    cut = cut || !may;
  }
  CHECK(ever);
  CHECK(cut);
}

TEST_CASE("what is no shared object is not loaded, what is not there is the loader's to explain",
          "[shim][core_file]") {
  CHECK(MayBeLoaded("/no/such/file"));
  CHECK_FALSE(MayBeLoaded("/"));
  const Place place;
  std::ofstream(place.path) << std::string(10000, 'x');
  CHECK_FALSE(MayBeLoaded(place.path.c_str()));
  std::filesystem::remove(place.path);
  REQUIRE(mkfifo(place.path.c_str(), 0600) == 0);
  CHECK_FALSE(MayBeLoaded(place.path.c_str()));  // and nobody waits for a writer
}

TEST_CASE("what came with the core is known, and what was there is the program's",
          "[shim][core_modules]") {
  // It is noted for good, so in a process of its own.
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    int right = 0;
    right += CameWithCore(0) ? 0 : 1;
    void* const core = dlopen(kCore, RTLD_NOW | RTLD_LOCAL);
    if (core == nullptr) _exit(100);
    const ModuleAround brought(dlsym(core, "shim_take"));
    if (!brought.found()) _exit(101);
    right += CameWithCore(brought.map()->l_addr) ? 0 : 1;
    NoteCoreModules(core);
    right += CameWithCore(brought.map()->l_addr) ? 1 : 0;
    right += CameWithCore(static_cast<const link_map*>(core)->l_addr) ? 0 : 1;  // known by itself
    right += CameWithCore(ModuleAround(&dlsym).map()->l_addr) ? 0 : 1;
    right += CameWithCore(0) ? 0 : 1;
    _exit(right);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 6);
}

TEST_CASE("pages are read-only when all of them are", "[shim][read_only_pages]") {
  constexpr size_t kPage = 4096;
  auto* const pages = static_cast<char*>(
      mmap(nullptr, 4 * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  REQUIRE(pages != MAP_FAILED);
  REQUIRE(mprotect(pages + kPage, 2 * kPage, PROT_READ) == 0);
  const auto at = reinterpret_cast<uintptr_t>(pages);
  ReadOnlyPages known;
  CHECK(known.Holds({at + kPage, at + 3 * kPage}));
  CHECK(known.Holds({at + kPage, at + kPage + 8}));
  CHECK_FALSE(known.Holds({at, at + kPage}));
  CHECK_FALSE(known.Holds({at, at + 2 * kPage}));
  CHECK_FALSE(known.Holds({at + 2 * kPage, at + 4 * kPage}));
  CHECK_FALSE(known.Holds({8, 16}));
  munmap(pages, 4 * kPage);
}

}  // namespace heapgauge
