#include "control/control_message.h"

#include <catch2/catch.hpp>

namespace heapgauge {
namespace {

TEST_CASE("a question is taken apart at its tabs", "[control]") {
  CHECK(ParseQuestion("hello") == std::vector<std::string>{"hello"});
  CHECK(ParseQuestion("set\tLOG\tinfo") == std::vector<std::string>{"set", "LOG", "info"});
  CHECK(ParseQuestion("set\t\tx") == std::vector<std::string>{"set", "", "x"});
}

TEST_CASE("what is no question gives no words", "[control]") {
  CHECK(ParseQuestion("").empty());
  CHECK(ParseQuestion("hello\nreport").empty());
  CHECK(ParseQuestion(std::string("a\0b", 3)).empty());
  CHECK(ParseQuestion(std::string(kMostControlBytes + 1, 'x')).empty());
  CHECK(ParseQuestion("1\t2\t3\t4\t5\t6\t7\t8\t9").empty());
  CHECK(ParseQuestion("1\t2\t3\t4\t5\t6\t7\t8").size() == 8);
}

TEST_CASE("an answer is read as it was made", "[control]") {
  const auto answer =
      ParseAnswer(MakeAnswer(true, {{"pid", "4242"}, {"directory", "/srv/a\tb\nc"}, {"none", ""}}));
  REQUIRE(answer);
  CHECK(answer->good);
  CHECK(answer->Value("pid") == "4242");
  CHECK(answer->Value("directory") == "/srv/a b c");  // a name can't forge a line
  CHECK(answer->Value("none").empty());
  CHECK(answer->Value("other").empty());
  const auto refusal = ParseAnswer(MakeRefusal("no such setting"));
  REQUIRE(refusal);
  CHECK_FALSE(refusal->good);
  CHECK(refusal->Value("text") == "no such setting");
}

TEST_CASE("what is no answer is none", "[control]") {
  for (const char* packet : {"", "okay", "HTTP/1.1 200 OK", "ok\nno tab", "ok\n\n"}) {
    INFO(packet);
    CHECK_FALSE(ParseAnswer(packet));
  }
  std::string many = "ok";
  for (size_t i = 0; i <= kMostControlPairs; ++i) many += "\nname" + std::to_string(i) + "\tvalue";
  CHECK_FALSE(ParseAnswer(many));
}

TEST_CASE("an answer has a bound", "[control]") {
  CHECK(MakeRefusal(std::string(100'000, 'x')).size() == kMostControlBytes);
}

}  // namespace
}  // namespace heapgauge
