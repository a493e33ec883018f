#include "serve/request_gate.h"

#include <catch2/catch.hpp>

namespace heapgauge::serve {
namespace {

TEST_CASE("without a token the host must be this machine", "[serve]") {
  for (const char* host :
       {"127.0.0.1", "127.0.0.1:9191", "localhost", "localhost:1", "[::1]", "[::1]:80"}) {
    CAPTURE(host);
    CHECK(Judge("", host, "").status == 0);
  }
  for (const char* host : {"", "example.org", "127.0.0.1.example.org:80", "[::1", "[::2]:80", "::1",
                           "evil@127.0.0.1"}) {
    CAPTURE(host);
    CHECK(Judge("", host, "").status == 403);
  }
}

TEST_CASE("with a token it alone counts", "[serve]") {
  CHECK(Judge("correct-horse", "example.org", "Bearer correct-horse").status == 0);
  for (const char* given : {"", "Bearer ", "Bearer correct-hors", "Bearer correct-horse ",
                            "correct-horse", "Basic correct-horse", "bearer correct-horse"}) {
    CAPTURE(given);
    CHECK(Judge("correct-horse", "127.0.0.1", given).status == 401);
  }
}

TEST_CASE("texts are compared whole", "[serve]") {
  CHECK(EqualInConstantTime("abc", "abc"));
  CHECK_FALSE(EqualInConstantTime("abcd", "abc"));
  CHECK_FALSE(EqualInConstantTime("ab", "abc"));
  CHECK_FALSE(EqualInConstantTime(std::string_view("ab\0", 3), "ab"));
  CHECK_FALSE(EqualInConstantTime("", "abc"));
}

}  // namespace
}  // namespace heapgauge::serve
