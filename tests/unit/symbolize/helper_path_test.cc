#include "symbolize/helper_path.h"

#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "unit/symbolize/fixtures.h"

namespace heapgauge::symbolize {
namespace {

void MakeProgram(const std::string& path, mode_t mode) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  std::ofstream(path) << "#!/bin/sh\n";
  chmod(path.c_str(), mode);
}

}  // namespace

TEST_CASE("the command is found from every library directory in use", "[symbolize][helper_path]") {
  const symbolize_test::TempDir prefix;
  const std::string library = GENERATE("lib", "lib64", "lib/x86_64-linux-gnu", "bin");
  std::filesystem::create_directories(prefix / library);
  CHECK(FindHelperFrom(prefix / library) == "");
  MakeProgram(prefix / "bin/heapgauge", 0755);
  CHECK(FindHelperFrom(prefix / library) == prefix / "bin/heapgauge");
}

TEST_CASE("what can't be run is not the command", "[symbolize][helper_path]") {
  const symbolize_test::TempDir prefix;
  std::filesystem::create_directories(prefix / "lib");
  SECTION("a directory") {
    std::filesystem::create_directories(prefix / "bin/heapgauge");
    CHECK(FindHelperFrom(prefix / "lib") == "");
  }
  SECTION("a file without permission") {
    MakeProgram(prefix / "bin/heapgauge", 0644);
    CHECK(FindHelperFrom(prefix / "lib") == "");
  }
  SECTION("a link that leads nowhere") {
    std::filesystem::create_directories(prefix / "bin");
    std::filesystem::create_symlink("nowhere", prefix / "bin/heapgauge");
    CHECK(FindHelperFrom(prefix / "lib") == "");
  }
}

}  // namespace heapgauge::symbolize
