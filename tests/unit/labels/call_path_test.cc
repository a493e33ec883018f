#include "labels/call_path.h"

#include <catch2/catch.hpp>
#include <string>

namespace heapgauge {
namespace {

std::string Written(const CallPath& path) {
  PathText text;
  path.Write(&text);
  return std::string(text.view());
}

bool TurnsAt(const std::string& text) {
  CallPath path;
  REQUIRE(path.Read(text));
  return path.LastTurn().seen;
}

TEST_CASE("a path is read, counted and written again", "[labels]") {
  CallPath path;
  REQUIRE(path.Read("gateway/auth/session/auth"));
  CHECK(path.size() == 4);
  CHECK(path[2] == "session");
  CHECK(path.Count("auth") == 2);
  CHECK(path.Count("aut") == 0);
  path.Append("x");
  CHECK(Written(path) == "gateway/auth/session/auth/x");
}

TEST_CASE("what is no path is none", "[labels]") {
  CallPath path;
  for (const char* text : {"", "/", "a//b", "a/", "/a", "a b", "a,b", "a\nb", "a%2Fb", "a~", "a~4",
                           "a~4G", "a/\xff", "caf\xc3\xa9", "a\x01"}) {
    INFO(text);
    CHECK_FALSE(path.Read(text));
    CHECK(path.size() == 0);
  }
  CHECK_FALSE(path.Read(std::string(kMostNameBytes + 1, 'a')));
  CHECK(path.Read(std::string(kMostNameBytes, 'a')));
}

TEST_CASE("a path of any length stays bounded, and its end is kept", "[labels]") {
  std::string text = "begin";
  for (int i = 0; i < 5000; ++i) text += "/s" + std::to_string(i);
  CallPath path;
  REQUIRE(path.Read(text));
  path.Append("last");
  const std::string written = Written(path);
  CHECK(written.size() <= kMostPathBytes);
  CHECK(written.ends_with("/s4999/last"));
  CallPath again;
  REQUIRE(again.Read(written));
  CHECK(again.size() <= kMostPathNames);
  std::string wide;
  for (int i = 0; i < 64; ++i) {
    wide += (i > 0 ? "/" : "") + std::string(kMostNameBytes - 2, 'n') + std::to_string(10 + i % 90);
  }
  REQUIRE(path.Read(wide));
  CHECK(Written(path).size() <= kMostPathBytes);
}

TEST_CASE("names of any bytes go through a path and back", "[labels]") {
  for (const std::string name :
       {"auth", "checkout service", "a/b", "caf\xc3\xa9", "x,y;z=%2F~", "\n\t\x01", "~41"}) {
    const ServiceName escaped = EscapeName(name);
    CallPath path;
    REQUIRE(path.Read(escaped.view()));
    CHECK(path.size() == 1);
    CHECK(UnescapeName(escaped.view()).view() == name);
  }
  CHECK_FALSE(EscapeName("").empty());
  CHECK(EscapeName(std::string(10000, '\xff')).size() <= kMostNameBytes);
}

TEST_CASE("the same call twice on one path is a turn", "[labels]") {
  CHECK(TurnsAt("auth/session/auth/session"));
  CHECK(TurnsAt("gateway/auth/session/auth/session"));
  CHECK(TurnsAt("a/b/c/a/b"));
  CHECK(TurnsAt("g/a/b/c/d/a/b"));
  CallPath path;
  REQUIRE(path.Read("gateway/auth/session/tokens/auth/session"));
  const CallPath::Turn turn = path.LastTurn();
  REQUIRE(turn.seen);
  CHECK(path[turn.first] == "session");
  CHECK(path.size() - 1 - turn.first == 3);  // session, tokens, auth
}

TEST_CASE("retries, chains, diamonds and one callback make no turn", "[labels]") {
  for (const char* text : {"auth", "auth/auth", "auth/auth/auth/auth", "a/b/c/d/e", "a/b/d",
                           "a/c/d", "auth/session/auth", "gateway/auth/session/auth",
                           "auth/session/auth/audit", "a/b/b/b", "a/a/b/b"}) {
    INFO(text);
    CHECK_FALSE(TurnsAt(text));
  }
}

}  // namespace
}  // namespace heapgauge
