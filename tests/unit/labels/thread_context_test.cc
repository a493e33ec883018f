#include "labels/thread_context.h"

#include <catch2/catch.hpp>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace heapgauge {
namespace {

constexpr size_t kMiB = size_t{1} << 20;

using Texts = std::map<std::string, std::string>;

struct Fixture {
  Fixture() : arena(64 * kMiB), labels(std::make_unique<Labels>()), context(*labels) {
    labels->Initialize(arena, 64 * kMiB);
    labels->NamePublished(1, "route");
    labels->NamePublished(2, "tenant");
    labels->NamePublished(255, "last");
  }
  uint16_t SetOf(const std::string& attributes, uint16_t set = 0) {
    return context.WithAttributes(set, reinterpret_cast<const unsigned char*>(attributes.data()),
                                  attributes.size());
  }
  // The attributes, by name.
  Texts Read(const std::string& attributes, uint16_t set = 0) {
    Texts found;
    labels->ForEachOf(SetOf(attributes, set), [&](uint16_t label) {
      const int number = labels->PublishedNumber(label);
      found.emplace(number < 0 ? labels->KeyOf(label) : labels->NameOfPublished(number),
                    labels->ValueOf(label));
    });
    return found;
  }

  PageArena arena;
  std::unique_ptr<Labels> labels;
  ThreadContext context;
};

std::string Attribute(int key, const std::string& value) {
  return std::string({static_cast<char>(key), static_cast<char>(value.size())}) + value;
}

TEST_CASE("attributes of a thread's context are labels, the last of a key holds", "[labels]") {
  Fixture f;
  const std::string both = Attribute(1, "/a") + Attribute(2, "blue");
  CHECK(f.Read(both) == Texts{{"route", "/a"}, {"tenant", "blue"}});
  CHECK(f.SetOf(both) == f.SetOf(both));  // the second time from what is remembered
  CHECK(f.Read(Attribute(1, "/a") + Attribute(1, "/b")) == Texts{{"route", "/b"}});
  CHECK(f.Read(Attribute(1, "/a") + Attribute(1, "")).empty());
  CHECK(f.Read(Attribute(255, std::string(255, 'x'))) == Texts{{"last", std::string(255, 'x')}});
  const uint16_t own = f.labels->With(0, f.labels->Label("job", "night"));
  CHECK(f.Read(both, own) == Texts{{"job", "night"}, {"route", "/a"}, {"tenant", "blue"}});
}

TEST_CASE("attributes end where one is not whole", "[labels][H2]") {
  Fixture f;
  const std::string whole = Attribute(1, "/a") + Attribute(2, "blue");
  for (size_t size = 0; size < whole.size(); ++size) {
    CAPTURE(size);
    const Texts expected = size < 4 ? Texts{} : Texts{{"route", "/a"}};
    CHECK(f.Read(whole.substr(0, size)) == expected);
  }
}

TEST_CASE("more attributes than a set holds are cut, random ones are read within bounds",
          "[labels][H1]") {
  Fixture f;
  std::string many;
  for (int key = 0; key < 200; ++key) many += Attribute(key, "v");
  size_t count = 0;
  f.labels->ForEachOf(f.SetOf(many), [&](uint16_t) { ++count; });
  CHECK(count == Labels::kMostOfSet);
  std::mt19937 random(5);
  for (int round = 0; round < 20'000; ++round) {
    // Of its exact size, so that a sanitizer sees who reads behind it.
    std::vector<unsigned char> bytes(random() % 80);
    for (unsigned char& byte : bytes) byte = static_cast<unsigned char>(random() % 8);
    const uint16_t set = f.context.WithAttributes(0, bytes.data(), bytes.size());
    REQUIRE(set <= f.labels->last_set());
  }
}

TEST_CASE("what is remembered of attributes is never another's", "[labels]") {
  Fixture f;
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 5'000; ++i) {
      const std::string value = std::to_string(i);
      REQUIRE(f.Read(Attribute(2, value)) == Texts{{"tenant", value}});
    }
  }
}

}  // namespace
}  // namespace heapgauge
