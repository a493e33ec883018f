// Golden files: what a writer printed once and a person has read.  After a wanted change run the
// test with UPDATE_GOLDEN=1 in the environment and read the difference before committing it.
#ifndef HEAPGAUGE_TESTS_UNIT_REPORT_GOLDEN_H_
#define HEAPGAUGE_TESTS_UNIT_REPORT_GOLDEN_H_

#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

namespace heapgauge {

inline void CheckGolden(const std::string& name, const std::string& actual) {
  const std::string path = std::string(GOLDEN_DIRECTORY) + "/" + name;
  if (std::getenv("UPDATE_GOLDEN") != nullptr) std::ofstream(path, std::ios::binary) << actual;
  std::ifstream file(path, std::ios::binary);
  std::ostringstream expected;
  expected << file.rdbuf();
  INFO(path);
  CHECK(actual == expected.str());
}

}  // namespace heapgauge

#endif  // HEAPGAUGE_TESTS_UNIT_REPORT_GOLDEN_H_
