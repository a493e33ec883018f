#include "helper/program_path.h"

#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "unit/report/temp_directory.h"

namespace heapgauge {
namespace {

const std::string kFile = std::string("libexec/heapgauge/") + kSymbolizeProgram;

void MakeProgram(const std::string& path, mode_t mode) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  std::ofstream(path) << "#!/bin/sh\n";
  chmod(path.c_str(), mode);
}

}  // namespace

TEST_CASE("a program is found from every directory of a prefix", "[helper]") {
  const TempDirectory prefix;
  const std::string from = GENERATE("lib", "lib64", "lib/x86_64-linux-gnu", "bin");
  std::filesystem::create_directories(prefix / from);
  CHECK(FindProgramFrom(prefix / from, kSymbolizeProgram) == "");
  MakeProgram(prefix / kFile, 0755);
  CHECK(FindProgramFrom(prefix / from, kSymbolizeProgram) == prefix / kFile);
  CHECK(FindProgramFrom(prefix / from, kAlertProgram) == "");
}

TEST_CASE("what can't be run is no program of ours", "[helper]") {
  const TempDirectory prefix;
  std::filesystem::create_directories(prefix / "lib");
  SECTION("a directory") { std::filesystem::create_directories(prefix / kFile); }
  SECTION("a file without permission") { MakeProgram(prefix / kFile, 0644); }
  SECTION("a link that leads nowhere") {
    std::filesystem::create_directories(prefix / "libexec/heapgauge");
    std::filesystem::create_symlink("nowhere", prefix / kFile);
  }
  CHECK(FindProgramFrom(prefix / "lib", kSymbolizeProgram) == "");
}

}  // namespace heapgauge
