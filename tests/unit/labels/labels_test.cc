#include "labels/labels.h"

#include <catch2/catch.hpp>
#include <map>
#include <memory>
#include <string>

#include "core_api/label_context.h"
#include "support/thread_gun.h"

namespace heapgauge {
namespace {

constexpr size_t kMiB = size_t{1} << 20;

struct Fixture {
  explicit Fixture(size_t memory_limit = 64 * kMiB)
      : arena(memory_limit), labels(std::make_unique<Labels>()) {
    labels->Initialize(arena, memory_limit);
    labels->SetService("auth");
  }
  uint16_t Label(const std::string& key, const std::string& value) {
    return labels->Label(key.c_str(), value.c_str());
  }
  std::map<std::string, std::string> Set(uint16_t set) {
    std::map<std::string, std::string> found;
    labels->ForEachOf(
        set, [&](uint16_t label) { found.emplace(labels->KeyOf(label), labels->ValueOf(label)); });
    return found;
  }
  std::map<std::string, std::string> Now() { return Set(self.labels); }

  PageArena arena;
  std::unique_ptr<Labels> labels;
  ThreadState self;
};

using Texts = std::map<std::string, std::string>;

TEST_CASE("scopes nest, and inner labels hide outer ones of the same key", "[labels]") {
  Fixture f;
  const heapgauge_scope route = f.labels->Push(f.self, f.Label("route", "/a"));
  const heapgauge_scope tenant = f.labels->Push(f.self, f.Label("tenant", "blue"));
  const heapgauge_scope inner = f.labels->Push(f.self, f.Label("route", "/b"));
  CHECK(f.Now() == Texts{{"route", "/b"}, {"tenant", "blue"}});
  CloseScope(f.self, inner);
  CHECK(f.Now() == Texts{{"route", "/a"}, {"tenant", "blue"}});
  CloseScope(f.self, tenant);
  CloseScope(f.self, route);
  CHECK(f.self.labels == 0);
  CHECK(f.self.scopes == 0);
}

TEST_CASE("a set does not depend on the order of its labels", "[labels]") {
  Fixture f;
  const uint16_t a = f.Label("a", "1");
  const uint16_t b = f.Label("b", "2");
  CHECK(f.labels->With(f.labels->With(0, a), b) == f.labels->With(f.labels->With(0, b), a));
}

TEST_CASE("scopes closed in the wrong order, twice or elsewhere leave no label behind",
          "[labels]") {
  Fixture f;
  const uint16_t a = f.Label("a", "1");
  const uint16_t b = f.Label("b", "2");
  const heapgauge_scope outer = f.labels->Push(f.self, a);
  const heapgauge_scope inner = f.labels->Push(f.self, b);
  CloseScope(f.self, outer);
  CHECK(f.self.labels == 0);
  CloseScope(f.self, inner);  // closed already, with the outer one
  CHECK(f.self.labels == 0);
  CloseScope(f.self, outer);
  CHECK(f.self.labels == 0);

  // A scope that has taken the place of one that is gone stays.
  const heapgauge_scope again = f.labels->Push(f.self, f.Label("c", "3"));
  CloseScope(f.self, outer);
  CHECK(f.Now() == Texts{{"c", "3"}});
  ThreadState other;
  CloseScope(other, again);
  CHECK(other.labels == 0);
  CHECK(f.Now() == Texts{{"c", "3"}});
  const heapgauge_scope elsewhere = f.labels->Push(other, a);
  CloseScope(f.self, elsewhere);
  CHECK(f.Now() == Texts{{"c", "3"}});
  for (const heapgauge_scope forged :
       {heapgauge_scope{}, heapgauge_scope{{~0ULL, ~0ULL}}, heapgauge_scope{{0, ~0ULL}}}) {
    CloseScope(f.self, forged);
  }
  CHECK(f.Now() == Texts{{"c", "3"}});
  CloseScope(f.self, again);
  CHECK(f.self.labels == 0);
}

TEST_CASE("scopes that are never closed don't overflow their count", "[labels]") {
  Fixture f;
  const heapgauge_scope outer = f.labels->Push(f.self, f.Label("a", "1"));
  for (int i = 0; i < 200'000; ++i) static_cast<void>(f.labels->Push(f.self, f.Label("b", "2")));
  CHECK(f.Now() == Texts{{"a", "1"}, {"b", "2"}});
  CloseScope(f.self, outer);
  CHECK(f.self.labels == 0);
}

TEST_CASE("a context is entered on another thread", "[labels]") {
  Fixture f;
  static_cast<void>(f.labels->Push(f.self, f.Label("route", "/a")));
  const uint64_t context = ContextBits(f.self);
  ThreadState other;
  const heapgauge_scope scope =
      OpenScope(other, static_cast<uint16_t>(context), static_cast<uint16_t>(context >> 16));
  CHECK(f.Set(other.labels) == Texts{{"route", "/a"}});
  CloseScope(other, scope);
  CHECK(other.labels == 0);
}

TEST_CASE("odd keys and values are kept as far as they go", "[labels]") {
  Fixture f;
  CHECK(f.labels->Label(static_cast<const char*>(nullptr), "x") == 0);
  CHECK(f.labels->Label("", "x") == 0);
  CHECK(f.labels->ValueOf(f.labels->Label("k", static_cast<const char*>(nullptr))).empty());
  const std::string huge(kMiB, 'x');
  const uint16_t cut = f.Label(huge, huge);
  CHECK(f.labels->KeyOf(cut).size() == Labels::kKeyBytes);
  CHECK(f.labels->ValueOf(cut).size() == Labels::kValueBytes);
  std::string wide;
  while (wide.size() < 300) wide += "\xe2\x82\xac";
  const std::string_view value = f.labels->ValueOf(f.Label("k", wide));
  CHECK(value.size() % 3 == 0);  // whole characters
  CHECK(value.size() > 250);
  CHECK(f.labels->ValueOf(f.Label("k", "a\nb\xff")) == "a\nb\xff");
  CHECK(f.labels->With(0, 60'000) == 0);
  CHECK(f.labels->With(0, 0) == 0);
  static_cast<void>(f.labels->Push(f.self, UINT32_MAX));
  CHECK(f.self.labels == 0);
}

TEST_CASE("a million values of a label become other, within bounded memory", "[labels][B1]") {
  Fixture f;
  const uint16_t peer = f.Label("peer", "session");
  const uint16_t with_peer = f.labels->With(0, peer);
  uint16_t last = 0;
  for (int i = 0; i < 1'000'000; ++i) {
    last = f.Label("request", std::to_string(i));
    REQUIRE(last != 0);
    const uint16_t set = f.labels->With(with_peer, last);
    REQUIRE(set != 0);
    if (i < 10'000)
      REQUIRE(f.Set(set) == Texts{{"peer", "session"}, {"request", std::to_string(i)}});
  }
  CHECK(f.labels->ValueOf(last) == "other");
  CHECK(f.labels->KeyOf(last) == "request");
  CHECK(f.Set(f.labels->With(with_peer, last)) == Texts{{"peer", "session"}, {"request", "other"}});
  CHECK(f.labels->lost() > 900'000);
  CHECK(f.arena.held_bytes() <= 4 * kMiB);
  CHECK(f.labels->Label("peer", "session") == peer);
}

TEST_CASE("in a megabyte of memory labels still work, and take a small part of it",
          "[labels][B1]") {
  Fixture f(kMiB);
  for (int i = 0; i < 100'000; ++i) {
    const uint16_t label = f.Label("key" + std::to_string(i % 1000), std::to_string(i));
    static_cast<void>(f.labels->With(0, label));
  }
  CHECK(f.arena.held_bytes() <= 3 * PageArena::kChunkBytes);
}

TEST_CASE("too many keys become other", "[labels][B1]") {
  Fixture f;
  uint16_t last = 0;
  for (int i = 0; i < 1000; ++i) last = f.Label("key" + std::to_string(i), "v");
  CHECK(f.labels->KeyOf(last) == "other");
  CHECK(f.labels->ValueOf(last) == "other");
  uint16_t set = 0;
  for (int i = 0; i < 100; ++i) set = f.labels->With(set, f.Label("key" + std::to_string(i), "v"));
  CHECK(f.Set(set).size() <= Labels::kMostOfSet);
  CHECK_FALSE(f.Set(set).empty());
}

TEST_CASE("threads that make the same sets agree on them", "[labels][B2]") {
  Fixture f;
  std::atomic<int> wrong{0};
  test::ThreadGun(4).Fire([&](size_t) {
    ThreadState self;
    for (int i = 0; i < 20'000; ++i) {
      const std::string value = std::to_string(i % 500);
      const heapgauge_scope outer = f.labels->Push(self, f.Label("a", value));
      const heapgauge_scope inner = f.labels->Push(self, f.Label("b", value));
      if (f.Set(self.labels) != Texts{{"a", value}, {"b", value}}) ++wrong;
      CloseScope(self, inner);
      CloseScope(self, outer);
      if (self.labels != 0) ++wrong;
    }
  });
  CHECK(wrong == 0);
}

}  // namespace
}  // namespace heapgauge
