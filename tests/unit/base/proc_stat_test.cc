#include "base/proc_stat.h"

#include <catch2/catch.hpp>
#include <string>

namespace heapgauge {

TEST_CASE("fields of a stat text are found behind a name that holds anything", "[base]") {
  const std::string stat =
      "12 (a) S (b) c) R 34 12 12 0 -1 99 9 10 11 12 13 14 15 16 17 18 19 20 777 23\n";
  CHECK(*StatField(stat.c_str(), kStateField) == 'R');
  CHECK(ParentInStat(stat.c_str()) == 34);
  CHECK(std::string(StatField(stat.c_str(), 9)).starts_with("99 9 "));
  CHECK(std::string(StatField(stat.c_str(), kStartTimeField)).starts_with("777 "));
}

TEST_CASE("what a stat text does not have is empty", "[base]") {
  for (const char* text : {"", "12", "12 (name", "12 (name)", "12 (name) S"}) {
    INFO(text);
    CHECK(*StatField(text, kParentField) == '\0');
    CHECK(ParentInStat(text) == 0);
  }
}

}  // namespace heapgauge
