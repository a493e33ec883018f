// Names that no format may take as they are: every writer of lib/report, each by its own rules.
#include <algorithm>
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "report/children_file.h"
#include "report/diff_writer.h"
#include "report/difference.h"
#include "report/folded_writer.h"
#include "report/json_reader.h"
#include "report/json_writer.h"
#include "report/label_writer.h"
#include "report/pprof_reader.h"
#include "report/pprof_writer.h"
#include "report/text_writer.h"
#include "unit/report/sample_report.h"

namespace heapgauge {
namespace {

const std::vector<std::string> kNames = {
    std::string(100'000, 'x'),
    "<script>alert(1)</script>&amp;<b a=\"'>",
    "\"quoted\\\" 'twice' `thrice`",
    "one\ntwo\r\nthree;four 5\ttab",
    "\x1b[31mred\x07\x1b]0;title\x07\x7f\xc2\x9b"
    "31m",
    "\xff\xfe\x80 no UTF-8 \xc3\x28 \xe2\x82 \xf0\x9f\x98",
    "${{ github.token }} %25 %0A::set-output name=a::b",
    "| a | b |\n---\n# head",
    "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80",
};

Report Named(const std::string& name) {
  Report report = LeakingCheckout();
  report.exe = name;
  report.service = name;
  report.host = name;
  report.calls = {{name, 1000, 0, 10, 5, 100}};
  report.circles = {{{name, "auth"}, 3, 1000, name}};
  report.labels = {{name, name, 1000, 0, 10, 5, 0}};
  for (Site& site : report.sites) {
    site.labels = {{name, name}};
    site.by_labels = {{{{name, name}}, 100, 1}};
    for (Frame& frame : site.frames.Edit()) {
      frame.function = name;
      frame.file = name;
      frame.module = name;
    }
  }
  return report;
}

// Lines of a text that is shown: no control moves the cursor, and no byte is half a character.
void CheckText(const std::string& text) {
  for (size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c != '\n' && (c < ' ' || c == 0x7F)) FAIL("a control in " << text.substr(0, 2000));
    if (c == 0xC2 && static_cast<unsigned char>(text[i + 1]) < 0xA0) FAIL("a control beyond ASCII");
  }
  CHECK_NOTHROW(nlohmann::json(text).dump());  // it throws for what is no UTF-8
}

void CheckJson(const std::string& text) {
  CHECK(nlohmann::json::accept(text));
  CHECK(text.find('\n', 0) >= text.size() - 1);
}

TEST_CASE("hostile names leave every text and file of a report whole", "[report][text][json]") {
  const Report quiet = LeakingCheckout();
  for (const std::string& name : kNames) {
    CAPTURE(name.substr(0, 40));
    const Report report = Named(name);
    const std::string json = ToJson(report);
    CheckJson(json);
    std::string error;
    REQUIRE(FromJson(json, &error).has_value());
    for (const size_t width : {20U, 100U}) {
      const TextOptions options{.max_sites = 10, .max_frames = 5, .width = width, .colour = false};
      CheckText(ToText(report, options));
      CheckText(ToTextByLabel(report, name, options));
      CheckText(DiffToText(DifferenceOf(quiet, report), options));
    }
    CheckJson(ToJsonByLabel(report, name));
    CheckJson(DiffToJson(DifferenceOf(quiet, report), 10));
  }
}

TEST_CASE("hostile names add no stack to a folded file", "[report][folded]") {
  for (const std::string& name : kNames) {
    CAPTURE(name.substr(0, 40));
    Report report = Named(name);
    Report plain = LeakingCheckout();
    const auto lines = [](const std::string& text) {
      return std::count(text.begin(), text.end(), '\n');
    };
    // Stacks that read alike are one line.
    CHECK(lines(ToFolded(report)) <= lines(ToFolded(plain)));
    CHECK(lines(ToFolded(report)) >= 1);
    CHECK(lines(DiffToFolded(plain, report)) <= 2 * lines(ToFolded(plain)));
    const std::string folded = ToFolded(report);
    CHECK(std::count(folded.begin(), folded.begin() + static_cast<ptrdiff_t>(folded.find('\n')),
                     ';') <= 20);
  }
}

TEST_CASE("hostile names stay names in a profile", "[report][pprof]") {
  for (const std::string& name : kNames) {
    CAPTURE(name.substr(0, 40));
    const Report report = Named(name);
    for (const std::string& profile : {ToPprof(report), ToPprof(report, PprofKind::kAllocs),
                                       DiffToPprof(DifferenceOf(LeakingCheckout(), report))}) {
      std::string error;
      const auto again = FromPprof(profile, &error);
      INFO(error);
      REQUIRE(again.has_value());
      CHECK(again->sites.size() >= 1);
      CHECK_NOTHROW(nlohmann::json(again->sites[0].frames[0].function).dump());
    }
  }
}

TEST_CASE("hostile names of children are shown", "[report][text]") {
  for (const std::string& name : kNames) {
    CAPTURE(name.substr(0, 40));
    ChildrenSummary children;
    children.count = 1;
    ChildProgram& program = children.programs.emplace_back();
    program.exe = name;
    program.count = 1;
    program.callsites[{name, 16}] = {name, 16, name, 1, 100};
    CheckText(ChildrenText(children));
    CheckJson(ChildrenJson(children));
  }
}

}  // namespace
}  // namespace heapgauge
