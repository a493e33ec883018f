// Globs of the library's own.
#include "base/glob.h"

#include <fnmatch.h>

#include <catch2/catch.hpp>
#include <random>
#include <string>

namespace heapgauge {
namespace {

TEST_CASE("a glob takes what it says and nothing else", "[base][glob]") {
  CHECK(GlobMatches("", ""));
  CHECK(GlobMatches("*", ""));
  CHECK(GlobMatches("/usr/*/nginx", "/usr/local/sbin/nginx"));
  CHECK(GlobMatches("postgres*", "postgres: writer"));
  CHECK(GlobMatches("[a-c]?[!x]", "bzy"));
  CHECK(GlobMatches("[]]", "]"));
  CHECK(GlobMatches("\\*\\[", "*["));
  CHECK(GlobMatches("a[b", "a[b"));
  CHECK(GlobMatches("a\\", "a\\"));
  CHECK_FALSE(GlobMatches("", "a"));
  CHECK_FALSE(GlobMatches("?", ""));
  CHECK_FALSE(GlobMatches("nginx", "nginx2"));
  CHECK_FALSE(GlobMatches("[!a]", "a"));
  CHECK_FALSE(GlobMatches("[z-a]", "m"));
  CHECK_FALSE(GlobMatches("a[b", "ab"));
}

TEST_CASE("a glob of a thousand stars is judged at once", "[base][glob]") {
  std::string glob;
  for (int i = 0; i < 300; ++i) glob += "*a";
  CHECK_FALSE(GlobMatches((glob + "b").c_str(), std::string(4000, 'a').c_str()));
  CHECK(GlobMatches(glob.c_str(), std::string(4000, 'a').c_str()));
}

TEST_CASE("a glob means what it means to the C library", "[base][glob]") {
  std::mt19937 random(21);
  const auto text = [&](const char* letters, unsigned count) {
    std::string made;
    for (unsigned i = random() % 8; i > 0; --i) made += letters[random() % count];
    return made;
  };
  int matches = 0;
  for (int i = 0; i < 200'000; ++i) {
    const std::string glob = text("aab*?[]-!", 8 + random() % 2);
    const std::string name = text("aab-", 4);
    // The C library stands by what it finds between brackets that POSIX leaves open.
    if (glob.find('[') != std::string::npos && glob.find('-') != std::string::npos) continue;
    const bool expected = fnmatch(glob.c_str(), name.c_str(), 0) == 0;
    matches += expected ? 1 : 0;
    INFO(glob << " against " << name);
    REQUIRE(GlobMatches(glob.c_str(), name.c_str()) == expected);
  }
  CHECK(matches > 1000);
}

}  // namespace
}  // namespace heapgauge
