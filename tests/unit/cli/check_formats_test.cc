#include "cli/check_formats.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <string>

namespace heapgauge::cli {
namespace {

CheckResult Lost(const std::string& name) {
  CheckResult result;
  result.lost = {3, 120};
  result.processes.push_back({4242, name, {10, 400}, {3, 120}, 0});
  LostGroup& group = result.groups.emplace_back();
  group.is_ring = true;
  group.direct = {2, 80};
  group.indirect = {1, 40};
  group.id = "0123456789abcdef";
  Frame& frame = group.frames.emplace_back();
  frame.function = name;
  frame.file = name;
  frame.module = name;
  frame.line = 7;
  group.members[PlaceName(group.frames, 0)] = {2, 80};
  return result;
}

size_t CountOf(const std::string& text, const std::string& what) {
  size_t count = 0;
  for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++count;
  return count;
}

TEST_CASE("names in a check's result can break none of its formats", "[cli]") {
  const CheckPage page{"./service", "/src", 0};
  const Suppressions none;
  for (const std::string& name :
       {std::string(100'000, 'x'), std::string("</testcase><b a=\"'&]]>"),
        std::string("one\ntwo\r::error file=a::b%0A"), std::string("\x1b[31m\x07\x01\xc2\x9b"),
        std::string("\xff\xfe no UTF-8 \xc3\x28"), std::string("a,b:c=d%\"quoted\\\"")}) {
    CAPTURE(name.substr(0, 40));
    const CheckResult result = Lost(name);
    for (const std::string& format : CheckFormats()) {
      CAPTURE(format);
      const std::string text = RenderCheck(format, result, none, page);
      const std::string usual = RenderCheck(format, Lost("make_coupon"), none, page);
      for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte != '\n' && (byte < ' ' || byte == 0x7F)) FAIL("a control");
      }
      CHECK_NOTHROW(nlohmann::json(text).dump());  // it throws for what is no UTF-8
      if (format == "json" || format == "sarif") CHECK(nlohmann::json::accept(text));
      if (format == "junit") {
        CHECK(CountOf(text, "<testcase") == CountOf(usual, "<testcase"));
        CHECK(CountOf(text, "<") == CountOf(usual, "<"));
        CHECK(CountOf(text, "]]>") == 0);
      }
      if (format == "github") {
        CHECK(CountOf(text, "\n::") == CountOf(usual, "\n::"));
        CHECK(CountOf(text, "\n") == CountOf(usual, "\n"));
      }
    }
  }
}

}  // namespace
}  // namespace heapgauge::cli
