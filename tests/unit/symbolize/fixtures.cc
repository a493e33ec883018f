#include "unit/symbolize/fixtures.h"

#include <stdio.h>
#include <stdlib.h>

#include <catch2/catch.hpp>
#include <fstream>
#include <iterator>
#include <memory>
#include <sstream>

#include "elf/elf_image.h"

namespace heapgauge::symbolize_test {

std::string FixturePath(const std::string& name) { return std::string(FIXTURE_DIR "/") + name; }

bool HasFixture(const std::string& name) { return std::filesystem::exists(FixturePath(name)); }

std::map<std::string, ModuleAddress> Probe(const std::string& fixture) {
  const std::string program = FixturePath(fixture);
  const std::unique_ptr<FILE, int (*)(FILE*)> output(popen(program.c_str(), "r"), &pclose);
  REQUIRE(output);
  std::map<std::string, ModuleAddress> addresses;
  char line[4096];
  while (fgets(line, sizeof line, output.get()) != nullptr) {
    std::istringstream words(line);
    std::string label;
    ModuleAddress address;
    words >> label >> std::hex >> address.offset;
    if (!(words >> address.module)) address.module = program;
    const auto image = elf::ElfImage::OpenFile(address.module.c_str());
    REQUIRE(image);
    address.build_id = image->build_id();
    addresses[label] = address;
  }
  REQUIRE_FALSE(addresses.empty());
  return addresses;
}

std::string SourcePath(const std::string& source) {
  return std::string(FIXTURE_SOURCES "/") + source;
}

uint32_t MarkedLine(const std::string& source, const std::string& label) {
  std::ifstream file(SourcePath(source));
  const std::string mark = "mark: " + label;
  uint32_t number = 1;
  for (std::string line; std::getline(file, line); ++number) {
    if (line.ends_with(mark)) return number;
  }
  FAIL("no mark " << label << " in " << source);
  return 0;
}

std::vector<uint8_t> ReadBytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  REQUIRE(file);
  return {std::istreambuf_iterator<char>(file), {}};
}

void WriteBytes(const std::string& path, const std::vector<uint8_t>& bytes) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
  REQUIRE(file);
}

TempDir::TempDir() {
  std::string pattern = std::filesystem::temp_directory_path() / "heapgauge_symbolize.XXXXXX";
  REQUIRE(mkdtemp(pattern.data()) != nullptr);
  path_ = std::filesystem::canonical(pattern);
}

TempDir::~TempDir() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string FakeHelper(const TempDir& directory, const std::string& manner) {
  const std::string path = directory / manner;
  if (!std::filesystem::exists(path)) std::filesystem::create_symlink(FAKE_HELPER, path);
  return path;
}

std::string DebugFileFor(const std::string& root, const std::string& build_id) {
  const std::string directory = root + "/.build-id/" + build_id.substr(0, 2);
  std::filesystem::create_directories(directory);
  return directory + "/" + build_id.substr(2) + ".debug";
}

}  // namespace heapgauge::symbolize_test
