#include "report/text_writer.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <limits>
#include <optional>
#include <string>

#include "report/frame_text.h"
#include "report/json_reader.h"
#include "report/json_writer.h"
#include "report/temporary_writer.h"
#include "unit/report/golden.h"
#include "unit/report/sample_report.h"

namespace heapgauge {
namespace {

bool Has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST_CASE("the text report of a leaking service reads as agreed", "[report][text][golden]") {
  CheckGolden("leaking_checkout.txt", ToText(LeakingCheckout()));
}

TEST_CASE("the text report in colour differs in escapes alone", "[report][text][golden]") {
  std::string coloured = ToText(LeakingCheckout(), {.colour = true});
  CheckGolden("leaking_checkout_colour.txt", coloured);
  for (size_t at = coloured.find('\x1b'); at != std::string::npos; at = coloured.find('\x1b', at)) {
    coloured.erase(at, coloured.find('m', at) - at + 1);
  }
  CHECK(coloured == ToText(LeakingCheckout()));
}

TEST_CASE("a process without samples gets a report that says so", "[report][text][golden]") {
  CheckGolden("quiet_process.txt", ToText(QuietProcess()));
}

TEST_CASE("a resident size that is not known is not reasoned about", "[report][text]") {
  Report report = LeakingCheckout();
  report.process.rss_bytes = 0;
  const std::string text = ToText(report);
  CHECK(Has(text, "unknown"));
  CHECK(Has(text, "live heap"));
  CHECK_FALSE(Has(text, "not resident"));
}

TEST_CASE("dropped samples, partial coverage and lost reports are said loudly", "[report][text]") {
  Report report = LeakingCheckout();
  CHECK_FALSE(Has(ToText(report), "!!"));
  report.sampling.dropped = 1204;
  CHECK(Has(ToText(report), "!! 1,204 samples (2.4 %) were DROPPED"));
  report = LeakingCheckout();
  report.sampling.coverage = 0.62;
  report.sampling.coverage_note = "The executable carries its own malloc.";
  CHECK(Has(ToText(report),
            "!! Only 62 % of this program's allocations are seen. The executable carries its own "
            "malloc."));
  report = LeakingCheckout();
  report.sampling.reports_failed = 3;
  CHECK(Has(ToText(report), "!! 3 earlier reports could not be written"));
}

TEST_CASE("names from the process cannot steer the terminal or break lines", "[report][text]") {
  Report report = LeakingCheckout();
  const std::string evil = "\x1b]0;owned\x07\n\r\xff\u202e";
  report.exe = "/bin/" + evil;
  report.host = evil;
  report.time = evil;
  report.evidence = evil;
  report.verdict = evil;
  report.build_id = evil;
  report.sampling.unwind = evil;
  report.process.limit_source = evil;
  Site& site = report.sites[0];
  site.id = site.verdict = site.evidence = evil;
  site.labels = {{evil, evil}};
  for (Frame& frame : site.frames.Edit()) frame.function = frame.module = evil, frame.file = evil;
  const std::string text = ToText(report);
  CHECK(std::none_of(text.begin(), text.end(),
                     [](char c) { return (c != '\n' && c >= 0 && c < 0x20) || c == 0x7F; }));
  CHECK_FALSE(Has(text, "\xff"));
  CHECK_FALSE(Has(text, "\u202e"));
  CHECK(Has(text, "\\x1b]0;owned\\x07\\x0a\\x0d\\xff\\u{202e}"));
}

TEST_CASE("a symbol that reads like a C++ name is shown as it is", "[report][text]") {
  for (const char* name : {"a(b)", "tmpl<int>", "f(int) const", "x::y(z)"}) {
    CAPTURE(name);
    Report report = LeakingCheckout();
    for (Site& site : report.sites) {
      for (Frame& frame : site.frames.Edit()) {
        frame.function = name;
        frame.file.reset();
        frame.verbatim = {true};
      }
    }
    const Frame& frame = report.sites[0].frames[0];
    CHECK(ShortFunction(frame) == name);
    CHECK(FullName(frame) == name);
    const std::string text = ToText(report);
    CHECK(Has(text, name));
    CHECK_FALSE(Has(text, "(...)"));
    // Also when it is read again.
    std::string error;
    const std::optional<Report> back = FromJson(ToJson(report), &error);
    REQUIRE(back);
    CHECK(back->sites[0].frames[0].verbatim.set);
    CHECK(ShortFunction(back->sites[0].frames[0]) == name);
  }
  // Of a C++ function so called the name alone is shown.
  Frame frame;
  frame.function = "a(b)";
  CHECK(ShortFunction(frame) == "a");
}

TEST_CASE("the number of sites and frames is limited and the rest is counted", "[report][text]") {
  Report report = LeakingCheckout();
  std::string text = ToText(report, {.max_sites = 1});
  CHECK(Has(text, "Call sites (1 of 211 known, 89 % of the live bytes)"));
  CHECK(Has(text, "2 more call sites hold memory: heapgauge report DIR --top 3"));
  CHECK_FALSE(Has(text, "CartStore"));
  text = ToText(report, {.max_frames = 2});
  CHECK(Has(text, "... 3 more frames"));
  CHECK(ToText(report, {.max_sites = 0}).size() > 100);
}

TEST_CASE("one call site with many stacks is one row, with the stacks that matter",
          "[report][text]") {
  Report report = LeakingCheckout();
  Callsite& callsite = report.callsites.emplace_back();
  callsite.sum = report.sites[0];
  callsite.stacks = 31;
  callsite.largest_stack_share = 0.25;
  callsite.sites = {report.sites[0].id, report.sites[1].id, report.sites[2].id};
  report.callsites_total = 40;
  const std::string text = ToText(report);
  CHECK(Has(text, "Call sites (1 of 40 known, 89 % of the live bytes)"));
  CHECK(Has(text, "stacks  31; the largest below, 25 % of what it grows by"));
  CHECK(Has(text, "also 96.5 MiB live, +240 KiB/min: main main.cc:12"));
  CHECK_FALSE(Has(text, "libpayment"));  // too small to matter
  CHECK_FALSE(Has(text, "#2"));
}

TEST_CASE("call sites that read alike show their callers", "[report][text]") {
  Report report = LeakingCheckout();
  for (int i = 0; i < 2; ++i) {
    Site site = report.sites[0];
    site.id = std::to_string(i);
    site.frames.Edit().resize(site.callsite + 1);
    Frame caller;
    caller.module = site.frames[0].module;
    caller.function = "Common";
    site.frames.Edit().push_back(caller);
    caller.function = i == 0 ? "Reject" : "Accept";
    site.frames.Edit().push_back(caller);
    report.callsites.emplace_back().sum = site;
  }
  const std::string text = ToText(report);
  CHECK(Has(text, " <- Reject\n"));
  CHECK(Has(text, " <- Accept\n"));
  report.callsites.pop_back();
  CHECK_FALSE(Has(ToText(report), "<- Reject"));
}

TEST_CASE("a peak that is over is told, one that lasts is not", "[report][text]") {
  Report report = LeakingCheckout();
  CHECK(ToText(report).find("peak: 1.18 GiB at 2026-11-23 01:02:03 UTC: 700 MiB by "
                            "checkout::LoadPrices (prices.cc:41)") != std::string::npos);
  report.peak->live_bytes = report.totals.live_bytes;
  CHECK(ToText(report).find("peak:") == std::string::npos);
  report.peak.reset();
  CHECK(ToText(report).find("peak:") == std::string::npos);
}

TEST_CASE("temporary allocations are a table by call site", "[report][text]") {
  Report report = LeakingCheckout();
  const std::string text = ToTextTemporary(report, {});
  CHECK(text.find("15.0 M objects") != std::string::npos);
  CHECK(text.find("75 % of all objects") != std::string::npos);
  const size_t first = text.find("ParseCart");
  const size_t second = text.find("CartStore::Open");
  REQUIRE(first != std::string::npos);
  REQUIRE(second != std::string::npos);
  CHECK(first < second);
  CHECK(text.find("50 %", first) < second);  // of what is born at the second
  TextOptions one;
  one.max_sites = 1;
  CHECK(ToTextTemporary(report, one).find("1 more call sites") != std::string::npos);
  report.temporary.reset();
  CHECK(ToTextTemporary(report, {}).find("does not say") != std::string::npos);
}

TEST_CASE("sites that hold nothing and do not grow are left out", "[report][text]") {
  Report report = LeakingCheckout();
  report.sites[2].live_bytes = 0;
  CHECK_FALSE(Has(ToText(report), "libpayment"));
  report.sites[2].verdict = "growing";
  CHECK(Has(ToText(report), "libpayment"));
  for (Site& site : report.sites) site.verdict = "steady", site.live_bytes = 0;
  CHECK(Has(ToText(report), "No call site holds memory now"));
}

TEST_CASE("a long path is cut at its front where it would leave the page", "[report][text]") {
  Report report = LeakingCheckout();
  report.sites[0].frames.Edit()[4].file = "/" + std::string(200, 'd') + "/server.cc";
  const std::string text = ToText(report);
  CHECK(Has(text, " .../server.cc:210  (inlined)"));
  CHECK_FALSE(Has(text, std::string(60, 'd')));
}

TEST_CASE("odd figures give a report all the same", "[report][text]") {
  Report report = LeakingCheckout();
  report.sites[0].growth_bytes_per_s = std::numeric_limits<double>::quiet_NaN();
  report.sites[1].live_bytes = std::numeric_limits<double>::infinity();
  report.sites[2].frames.Edit().clear();
  report.sites[0].callsite = 99;
  report.forecast->seconds_high = std::numeric_limits<double>::infinity();
  const std::string text = ToText(report);
  CHECK_FALSE(Has(text, " nan"));
  CHECK_FALSE(Has(text, "inf "));
  CHECK(Has(text, "(no stack)"));
  CHECK(Has(text, "or more)"));
  CHECK_NOTHROW(ToText(Report{}));
  Report blank;
  blank.sites.resize(1);
  blank.sites[0].live_bytes = 1;
  CHECK_NOTHROW(ToText(blank));
  CHECK_NOTHROW(ToText(report, {.width = 1}));
}

}  // namespace
}  // namespace heapgauge
