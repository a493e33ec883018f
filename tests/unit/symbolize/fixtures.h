// What the symbolize tests share: fixture programs and their addresses, temporary directories.
#ifndef HEAPGAUGE_TESTS_UNIT_SYMBOLIZE_FIXTURES_H_
#define HEAPGAUGE_TESTS_UNIT_SYMBOLIZE_FIXTURES_H_

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "symbolize/symbolizer.h"

namespace heapgauge::symbolize_test {

std::string FixturePath(const std::string& name);
bool HasFixture(const std::string& name);

// Runs a fixture; label -> address of the call with that label (fixtures/probe.h).
std::map<std::string, ModuleAddress> Probe(const std::string& fixture);

// 1-based line of "mark: <label>" in a fixture's source.
uint32_t MarkedLine(const std::string& source, const std::string& label);
std::string SourcePath(const std::string& source);

std::vector<uint8_t> ReadBytes(const std::string& path);
void WriteBytes(const std::string& path, const std::vector<uint8_t>& bytes);

class TempDir final {
 public:
  TempDir();
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  std::string path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

// A misbehaving helper (fixtures/fake_helper.cc) under the name that tells it how.
std::string FakeHelper(const TempDir& directory, const std::string& manner);

// Where a debug root keeps the debug file of this build-id; makes the directories.
std::string DebugFileFor(const std::string& root, const std::string& build_id);

}  // namespace heapgauge::symbolize_test

#endif  // HEAPGAUGE_TESTS_UNIT_SYMBOLIZE_FIXTURES_H_
