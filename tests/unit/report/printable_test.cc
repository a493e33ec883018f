#include "report/printable.h"

#include <catch2/catch.hpp>
#include <string>

namespace heapgauge {
namespace {

using namespace std::string_literals;

TEST_CASE("nothing a terminal could obey survives", "[report][printable]") {
  CHECK(Printable("\x1b]0;owned\x07name\x1b[2J") == "\\x1b]0;owned\\x07name\\x1b[2J");
  CHECK(Printable("a\nb\tc\r\x7f"s + "\0"s) == "a\\x0ab\\x09c\\x0d\\x7f\\x00");
  CHECK(Printable("\xc2\x9b"
                  "31m") == "\\x9b31m");  // CSI as one C1 code point
  CHECK(Printable("\x9b"
                  "31m") == "\\x9b31m");  // and as a raw byte
  CHECK(Printable("a\u202eb\u2066c\u200bd\u2028e") == "a\\u{202e}b\\u{2066}c\\u{200b}d\\u{2028}e");
}

TEST_CASE("ordinary text and valid UTF-8 pass, broken UTF-8 is spelled out",
          "[report][printable]") {
  CHECK(Printable("std::vector<int>") == "std::vector<int>");
  CHECK(Printable("gr\u00f6\u00dfe \u20ac \U0001f600") == "gr\u00f6\u00dfe \u20ac \U0001f600");
  CHECK(Printable("\xff\xfe") == "\\xff\\xfe");
  CHECK(Printable("\xc3") == "\\xc3");                    // cut short
  CHECK(Printable("\xc0\x80") == "\\xc0\\x80");           // overlong NUL
  CHECK(Printable("\xed\xa0\x80") == "\\xed\\xa0\\x80");  // surrogate
  CHECK(Printable("\xf5\x80\x80\x80") == "\\xf5\\x80\\x80\\x80");
}

TEST_CASE("cutting counts characters and never splits one", "[report][printable]") {
  CHECK(DisplayWidth("gr\u00f6\u00dfe") == 5);
  CHECK(CutFront("/a/long/path.cc:12", 12) == "...ath.cc:12");
  CHECK(CutFront("short", 12) == "short");
  CHECK(CutPath("/src/checkout/coupon.cc:88", 24) == ".../coupon.cc:88");
  CHECK(CutPath("/src/checkout/coupon.cc:88", 25) == ".../checkout/coupon.cc:88");
  CHECK(CutPath("/src/checkout/coupon.cc:88", 20) == ".../coupon.cc:88");
  CHECK(CutPath("/src/checkout/coupon.cc:88", 10) == "...n.cc:88");
  CHECK(CutPath("/src/a.cc", 10) == "/src/a.cc");
  CHECK(CutEnd("a_long_function", 10) == "a_long_...");
  CHECK(CutEnd("\u00f6\u00f6\u00f6\u00f6\u00f6\u00f6", 5) == "\u00f6\u00f6...");
  CHECK(CutFront("\u00f6\u00f6\u00f6\u00f6\u00f6\u00f6", 5) == "...\u00f6\u00f6");
  CHECK(CutEnd("abcdef", 2) == "...");
}

TEST_CASE("JSON loses the controls that it may hold as they are", "[report][printable]") {
  CHECK(WithControlsEscaped(R"({"a":"b"})") == R"({"a":"b"})");
  CHECK(WithControlsEscaped("\"\x7f\"") == R"("\u007f")");
  CHECK(WithControlsEscaped("\"a\u0080b\u009b\u00a0\"") == "\"a\\u0080b\\u009b\u00a0\"");
  CHECK(WithControlsEscaped("\xc2") == "\xc2");
}

}  // namespace
}  // namespace heapgauge
