#include "symbolize/frame_cache.h"

#include <catch2/catch.hpp>
#include <string>

namespace heapgauge::symbolize {
namespace {

FrameCache::Answer Named(const std::string& function, bool provisional = false) {
  FrameCache::Answer answer;
  answer.frames.resize(1);
  answer.frames[0].function = function;
  answer.provisional = provisional;
  return answer;
}

}  // namespace

TEST_CASE("what was stored is found, by module and offset", "[symbolize][frame_cache]") {
  FrameCache cache;
  cache.Store("aa", 1, Named("one"));
  cache.Store("bb", 1, Named("other"));
  REQUIRE(cache.Find("aa", 1));
  CHECK(cache.Find("aa", 1)->frames[0].function == "one");
  CHECK(cache.Find("bb", 1)->frames[0].function == "other");
  CHECK_FALSE(cache.Find("aa", 2));
  CHECK_FALSE(cache.Find("cc", 1));
}

TEST_CASE("a better answer replaces a provisional one", "[symbolize][frame_cache]") {
  FrameCache cache;
  cache.Store("aa", 1, Named("name", true));
  CHECK(cache.Find("aa", 1)->provisional);
  cache.Store("aa", 1, Named("line"));
  CHECK_FALSE(cache.Find("aa", 1)->provisional);
  CHECK(cache.Find("aa", 1)->frames[0].function == "line");
}

TEST_CASE("frames come back as they were stored", "[symbolize][frame_cache]") {
  FrameCache cache;
  FrameCache::Answer answer;
  answer.frames.resize(2);
  answer.frames[0].function = "inner";
  answer.frames[0].file = "/src/inner.h";
  answer.frames[0].line = 7;
  answer.frames[0].inlined = true;
  answer.frames[1].verbatim = {true};
  cache.Store("aa", 1, answer);
  const auto found = cache.Find("aa", 1);
  REQUIRE(found);
  REQUIRE(found->frames.size() == 2);
  CHECK(found->frames[0].function == "inner");
  CHECK(found->frames[0].file == "/src/inner.h");
  CHECK(found->frames[0].line == 7U);
  CHECK(found->frames[0].inlined);
  CHECK(found->frames[1].function == "");
  CHECK_FALSE(found->frames[1].file);
  CHECK_FALSE(found->frames[1].line);
}

TEST_CASE("one text is kept once", "[symbolize][frame_cache]") {
  FrameCache cache;
  const std::string name(10'000, 'x');
  for (uint64_t i = 0; i < 100; ++i) cache.Store("module", i, Named(name));
  CHECK(cache.bytes() < 50'000);
}

TEST_CASE("the cache stays within its limit and keeps what is used", "[symbolize][frame_cache]") {
  constexpr size_t kLimit = 256 * 1024;
  FrameCache cache(kLimit);
  cache.Store("used", 0, Named("kept"));
  for (uint64_t i = 0; i < 20'000; ++i) {
    cache.Store("module", i, Named(std::string(100, 'x') + std::to_string(i)));
    CHECK(cache.bytes() <= kLimit + 1024);
    // As every report does with the sites it shows.
    if (i % 100 == 0) REQUIRE(cache.Find("used", 0));
  }
  CHECK(cache.Find("used", 0)->frames[0].function == "kept");
  CHECK(cache.Find("module", 19'999));
  CHECK_FALSE(cache.Find("module", 0));
}

}  // namespace heapgauge::symbolize
