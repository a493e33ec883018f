#include "process/process_context.h"

#include <catch2/catch.hpp>
#include <random>
#include <string>
#include <vector>

namespace heapgauge {
namespace {

using Names = std::vector<std::string>;

std::string Bytes(unsigned field, const std::string& bytes) {
  std::string text(1, static_cast<char>(field << 3 | 2));
  text += static_cast<char>((bytes.size() & 0x7F) | 0x80);
  text += static_cast<char>(bytes.size() >> 7);
  return text + bytes;
}

std::string Attribute(const std::string& key, const Names& names) {
  std::string values;
  for (const std::string& name : names) values += Bytes(1, Bytes(1, name));
  return Bytes(1, key) + Bytes(2, Bytes(5, values));
}

const std::string kKey = "threadlocal.attribute_key_map";
const std::string kOther = Bytes(1, Bytes(1, "service.name") + Bytes(2, Bytes(1, "checkout")));

TEST_CASE("the names of attributes are found in each form of the process context", "[process]") {
  const Names names = {"http.route", "", "tenant"};
  const std::string attribute = Attribute(kKey, names);
  CHECK(ParseAttributeNames(Bytes(1, kOther) + Bytes(2, attribute)) == names);
  CHECK(ParseAttributeNames(Bytes(1, kOther + Bytes(1, attribute))) == names);
  CHECK(ParseAttributeNames(kOther + Bytes(1, attribute)) == names);  // a resource alone
  // Fields that are not known, of every kind.
  const std::string unknown = std::string("\x18\x7f", 2) + "\x21" + "12345678" + "\x2d" + "1234";
  CHECK(ParseAttributeNames(unknown + Bytes(2, attribute)) == names);
}

TEST_CASE("what has no names has none", "[process]") {
  CHECK(ParseAttributeNames("").empty());
  CHECK(ParseAttributeNames(Bytes(1, kOther)).empty());
  CHECK(ParseAttributeNames(Bytes(2, Attribute("threadlocal.attribute_key_ma", {"a"}))).empty());
  CHECK(ParseAttributeNames(Bytes(2, Bytes(1, kKey) + Bytes(2, Bytes(1, "text")))).empty());
  CHECK(ParseAttributeNames(std::string(100, '\xff')).empty());
}

TEST_CASE("names are bounded, in number and in length", "[process]") {
  CHECK(ParseAttributeNames(Bytes(2, Attribute(kKey, Names(1000, "n")))).size() == 256);
  const Names long_ones = ParseAttributeNames(Bytes(2, Attribute(kKey, {std::string(5000, 'x')})));
  REQUIRE(long_ones.size() == 1);
  CHECK(long_ones[0].size() == 64);
}

TEST_CASE("a damaged process context is read within bounds", "[process]") {
  const std::string whole = Bytes(1, kOther) + Bytes(2, Attribute(kKey, {"http.route", "tenant"}));
  for (size_t size = 0; size < whole.size(); ++size) {
    CHECK(ParseAttributeNames(whole.substr(0, size)).size() <= 2);
  }
  std::mt19937 random(3);
  for (int round = 0; round < 20'000; ++round) {
    // Of its exact size, so that a sanitizer sees who reads behind it.
    std::vector<char> bytes(whole.begin(), whole.end());
    for (int change = 0; change < 3; ++change) {
      bytes[random() % bytes.size()] = static_cast<char>(random());
    }
    CHECK(ParseAttributeNames({bytes.data(), bytes.size()}).size() <= 256);
  }
}

}  // namespace
}  // namespace heapgauge
