#include "symbolize/lines_wanted.h"

#include <dlfcn.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>

#include "elf/elf_image.h"
#include "symbolize/module_files.h"
#include "unit/symbolize/fixtures.h"

namespace heapgauge::symbolize {
namespace {

namespace fs = std::filesystem;
using symbolize_test::FixturePath;
using symbolize_test::HasFixture;
using symbolize_test::TempDir;

bool Wanted(const std::string& path) {
  const auto image = elf::ElfImage::OpenFile(path.c_str());
  REQUIRE(image);
  return LinesWanted(path, image->build_id(), kDebugRoot);
}

TEST_CASE("a module with debug information is asked for", "[symbolize]") {
  for (const char* const name : {"inlined", "dwarf4", "split", "compressed", "lto", "clang"}) {
    INFO(name);
    if (HasFixture(name)) CHECK(Wanted(FixturePath(name)));
  }
}

TEST_CASE("a stripped one only where its debug file is found", "[symbolize]") {
  CHECK(Wanted(FixturePath("split_off")));    // beside it
  CHECK(Wanted(FixturePath("no_build_id")));  // the same, by its checksum
  CHECK_FALSE(Wanted(FixturePath("libstripped.so")));
  const TempDir directory;
  fs::copy_file(FixturePath("split_off"), directory / "alone");
  CHECK_FALSE(Wanted(directory / "alone"));
}

TEST_CASE("the C library's names are enough", "[symbolize]") {
  Dl_info info;
  REQUIRE(dladdr(reinterpret_cast<void*>(&::qsort), &info) != 0);
  const std::string path = fs::canonical(info.dli_fname);
  if (path.find("libc.so.6") != std::string::npos) CHECK_FALSE(Wanted(path));
  // By its name, not by what is in it; and not whatever begins alike.
  const TempDir directory;
  for (const char* const name :
       {"libc.so.6", "libc-2.31.so", "ld-linux-x86-64.so.2", "ld-2.31.so"}) {
    INFO(name);
    fs::copy_file(FixturePath("inlined"), directory / name);
    CHECK_FALSE(Wanted(directory / name));
  }
  for (const char* const name : {"libcart.so.6", "ld", "libc.so.6.service"}) {
    INFO(name);
    fs::copy_file(FixturePath("inlined"), directory / name);
    CHECK(Wanted(directory / name));
  }
}

TEST_CASE("what is not there, or another file by now, is not asked for", "[symbolize]") {
  CHECK_FALSE(LinesWanted("", "", kDebugRoot));
  CHECK_FALSE(LinesWanted(kVdsoPath, "00", kDebugRoot));
  CHECK_FALSE(LinesWanted("/no/such/file", "", kDebugRoot));
  CHECK_FALSE(LinesWanted(FixturePath("inlined"), "0123456789abcdef", kDebugRoot));
}

}  // namespace
}  // namespace heapgauge::symbolize
