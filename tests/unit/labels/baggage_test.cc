#include "labels/baggage.h"

#include <catch2/catch.hpp>
#include <random>
#include <string>

namespace heapgauge {
namespace {

std::string PathIn(const std::string& baggage) {
  PathText path;
  FindPath(baggage, &path);
  return std::string(path.view());
}

std::string Merged(const std::string& baggage, const std::string& member) {
  std::string out(100'000, '#');
  const size_t size = MergeMember(baggage, member, out.data(), out.size());
  REQUIRE(size <= out.size());
  CHECK(out.find_first_not_of('#', size) == std::string::npos);
  out.resize(size);
  return out;
}

TEST_CASE("the path is found among foreign members", "[labels]") {
  CHECK(PathIn("heapgauge-path=1:a/b") == "a/b");
  CHECK(PathIn("k=v;p=1, heapgauge-path = 1:a/b ;x=y, z=1") == "a/b");
  CHECK(PathIn("a=1,\theapgauge-path=1%3Aa%2Fb") == "a/b");
  CHECK(PathIn("heapgauge-path=1:a,heapgauge-path=1:b") == "a");
  CHECK(PathIn("heapgauge-path2=1:a").empty());
  CHECK(PathIn("x=heapgauge-path=1:a").empty());
  CHECK(PathIn("").empty());
}

TEST_CASE("damaged members and other versions are no path", "[labels]") {
  for (const char* value :
       {"", "1", ":a", "2:a", "10:a", "%", "%1", "%GG", "1:a%2", "1%3", "=1:a"}) {
    INFO(value);
    CHECK(PathIn(std::string("heapgauge-path=") + value).empty());
  }
  CHECK(PathIn("heapgauge-path").empty());
  CHECK(PathIn(",,,;;;===,heapgauge-path;=1:a,").empty());
}

TEST_CASE("no more of a header is looked at than its limits allow", "[labels]") {
  std::string many;
  for (size_t i = 0; i < kMostMembers; ++i) many += "k" + std::to_string(i) + "=v,";
  CHECK(PathIn(many + "heapgauge-path=1:a").empty());
  CHECK(PathIn(std::string(kMostBaggageBytes, 'x') + ",heapgauge-path=1:a").empty());
  // Cut in the middle of ours: half a path is another path.
  CHECK(PathIn("x=" + std::string(kMostBaggageBytes - 22, 'y') + ",heapgauge-path=1:abc/def")
            .empty());
  CHECK(PathIn("heapgauge-path=1:" + std::string(5000, 'a')).empty());
}

TEST_CASE("our member takes the place of ours, foreign ones stay as they are", "[labels]") {
  CHECK(Merged("", "m=1") == "m=1");
  CHECK(Merged("a=1, b=2;x=%20", "m=1") == "a=1,b=2;x=%20,m=1");
  CHECK(Merged("heapgauge-path=9:zzz,a=1,heapgauge-path=1:b", "m=1") == "a=1,m=1");
  CHECK(Merged(",, ,", "m=1") == "m=1");
}

TEST_CASE("where the limits leave no room foreign members go on without ours", "[labels]") {
  std::string many = "k=v";
  for (size_t i = 1; i < kMostMembers; ++i) many += ",k" + std::to_string(i) + "=v";
  CHECK(Merged(many, "m=1") == many);
  const std::string long_one = "k=" + std::string(kMostBaggageBytes - 5, 'v');
  CHECK(Merged(long_one, "m=1") == long_one);
  char small[8] = ".......";
  CHECK(MergeMember("a=1,b=2", "m=1", small, 5) == 11);
  CHECK(small[5] == '.');
}

TEST_CASE("random headers are read and merged within bounds", "[labels]") {
  std::mt19937 random(7);
  const std::string alphabet = "heapgauge-path=1:/,;% \t\xff\x01~abAB09";
  for (int round = 0; round < 20'000; ++round) {
    std::string text = round % 3 == 0 ? "heapgauge-path=1:" : "";
    for (size_t length = random() % 60; length > 0; --length) {
      text += alphabet[random() % alphabet.size()];
    }
    PathText path;
    FindPath(text, &path);
    CallPath read;
    if (read.Read(path.view())) {
      CHECK(PathIn(std::string(MakeMember(path.view()).view())) == path.view());
    }
    const std::string merged = Merged(text, "m=1");
    CHECK(merged.ends_with("m=1"));
  }
}

}  // namespace
}  // namespace heapgauge
