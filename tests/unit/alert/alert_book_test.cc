#include "alert/alert_book.h"

#include <catch2/catch.hpp>

namespace heapgauge {
namespace {

Site SiteWith(const std::string& id, const std::string& verdict) {
  Site site;
  site.id = id;
  site.verdict = verdict;
  site.growth_bytes_per_s = 1000;
  Frame frame;
  frame.function = "leak_" + id + "()";
  frame.file = "/src/leak.cc";
  frame.line = 7;
  site.frames.Edit().push_back(frame);
  return site;
}

Report ReportWith(std::vector<Site> sites) {
  Report report;
  report.exe = "/bin/service";
  report.pid = 12;
  report.sites = std::move(sites);
  return report;
}

Report EndsIn(double seconds) {
  Report report = ReportWith({});
  report.verdict = "growing";
  report.forecast = Forecast{1 << 30, "cgroup", seconds, seconds / 2, seconds * 2};
  report.forecast->growth_window_s = 3600;
  return report;
}

TEST_CASE("a leak is raised once and holds while it is seen", "[alert]") {
  AlertBook book;
  CHECK(book.Update(ReportWith({SiteWith("a", "growing")}), "/r", 1000).empty());
  const auto events = book.Update(ReportWith({SiteWith("a", "leak")}), "/r", 2000);
  REQUIRE(events.size() == 1);
  CHECK(events[0].firing);
  CHECK(events[0].kind == AlertKind::kLeak);
  CHECK(events[0].site == "a");
  CHECK(events[0].function == "leak_a");
  CHECK(events[0].file == "/src/leak.cc");
  CHECK(events[0].line == 7);
  CHECK(events[0].starts_ms == 2000);
  CHECK(events[0].report_directory == "/r");
  Site grown = SiteWith("a", "leak");
  grown.live_bytes = 5e6;
  CHECK(book.Update(ReportWith({grown}), "/r", 3000).empty());
  REQUIRE(book.Active().size() == 1);
  CHECK(book.Active()[0].starts_ms == 2000);
  CHECK(book.Active()[0].time_ms == 3000);
  CHECK(book.Active()[0].live_bytes == 5e6);
}

TEST_CASE("one report without it clears nothing, two do", "[alert]") {
  AlertBook book;
  book.Update(ReportWith({SiteWith("a", "leak")}), "/r", 1000);
  CHECK(book.Update(ReportWith({SiteWith("a", "growing")}), "/r", 2000).empty());
  CHECK(book.Update(ReportWith({SiteWith("a", "leak")}), "/r", 3000).empty());  // it had not gone
  CHECK(book.Update(ReportWith({SiteWith("a", "steady")}), "/r", 4000).empty());
  const auto over = book.Update(ReportWith({SiteWith("a", "steady")}), "/r", 5000);
  REQUIRE(over.size() == 1);
  CHECK_FALSE(over[0].firing);
  CHECK(over[0].verdict == "steady");
  CHECK(over[0].starts_ms == 1000);
  CHECK(over[0].time_ms == 5000);
  CHECK(book.Active().empty());
  // Raised anew, it is another one.
  CHECK(book.Update(ReportWith({SiteWith("a", "leak")}), "/r", 9000).at(0).starts_ms == 9000);
}

TEST_CASE("a site that is no longer among those shown is cleared as it was last seen", "[alert]") {
  AlertBook book;
  book.Update(ReportWith({SiteWith("a", "leak")}), "/r", 1000);
  book.Update(ReportWith({}), "/r", 2000);
  const auto over = book.Update(ReportWith({}), "/r", 3000);
  REQUIRE(over.size() == 1);
  CHECK(over[0].function == "leak_a");
  CHECK(over[0].time_ms == 3000);
}

TEST_CASE(
    "the end of the memory is raised when two forecasts agree, and cleared with room to spare",
    "[alert]") {
  AlertBook book;
  CHECK(book.Update(EndsIn(3000), "/r", 1000).empty());
  CHECK(book.Update(EndsIn(4000), "/r", 2000).empty());  // above the threshold: counted anew
  CHECK(book.Update(EndsIn(3000), "/r", 3000).empty());
  const auto raised = book.Update(EndsIn(2900), "/r", 4000);
  REQUIRE(raised.size() == 1);
  CHECK(raised[0].kind == AlertKind::kLimit);
  CHECK(raised[0].seconds_to_limit == 2900);
  // Around the threshold it neither clears nor comes again.
  for (int i = 0; i < 10; ++i) CHECK(book.Update(EndsIn(3500 + 200 * (i % 2)), "/r", 5000).empty());
  CHECK(book.Update(EndsIn(9000), "/r", 6000).empty());
  CHECK(book.Update(EndsIn(9000), "/r", 7000).at(0).firing == false);
  CHECK(book.Active().empty());
}

TEST_CASE("a program that fills its memory at its start is not near its end", "[alert]") {
  AlertBook book;
  Report filling = EndsIn(3);
  filling.forecast->growth_window_s = 4.9;
  Report warming = EndsIn(3);
  warming.verdict = "warming";
  for (int i = 0; i < 10; ++i) {
    CHECK(book.Update(filling, "/r", 1000).empty());
    CHECK(book.Update(warming, "/r", 1000).empty());
  }
  // Reports from before it counted as growth are none of the two.
  CHECK(book.Update(EndsIn(3), "/r", 2000).empty());
  REQUIRE(book.Update(EndsIn(3), "/r", 3000).size() == 1);
  // Growth at a new rate, seen for a moment so far, clears nothing.
  for (int i = 0; i < 10; ++i) CHECK(book.Update(filling, "/r", 4000).empty());
  CHECK(book.Active().size() == 1);
}

TEST_CASE("growth must have lasted a share of the time that it foretells", "[alert]") {
  const auto raises = [](double interval_s, double left_s, double lasted_s) {
    AlertBook book(interval_s);
    Report report = EndsIn(left_s);
    report.forecast->growth_window_s = lasted_s;
    book.Update(report, "/r", 1000);
    return !book.Update(report, "/r", 2000).empty();
  };
  // By default never from less than a minute.
  CHECK_FALSE(raises(60, 10, 59));
  CHECK(raises(60, 10, 60));
  // A compiler that has grown for two minutes has not an hour's growth before it.
  CHECK_FALSE(raises(60, 3000, 120));
  CHECK_FALSE(raises(60, 1500, 240));
  CHECK(raises(60, 3000, 600));
  CHECK(raises(60, 1500, 300));
  // Reports in quick succession change nothing of the share.
  CHECK_FALSE(raises(1, 3000, 60));
  CHECK_FALSE(raises(1, 300, 40));
  CHECK(raises(1, 20, 6));
  CHECK_FALSE(raises(1, 3, 4.9));
  // Nor does a report a day put off what is minutes away.
  CHECK(raises(86400, 200, 61));
}

TEST_CASE("a process that leaks everywhere raises a bounded number", "[alert]") {
  AlertBook book;
  std::vector<Site> sites;
  for (int i = 0; i < 200; ++i) sites.push_back(SiteWith(std::to_string(i), "leak"));
  CHECK(book.Update(ReportWith(sites), "/r", 1).size() == AlertBook::kMostAlerts);
  CHECK(book.Update(ReportWith(sites), "/r", 2).empty());
  CHECK(book.Active().size() == AlertBook::kMostAlerts);
}

TEST_CASE("a circle is raised at once, holds, and is cleared when two reports don't have it",
          "[alert]") {
  AlertBook book;
  Report report = ReportWith({});
  report.circles = {{{"auth", "session"}, 3, 1 << 20, "2026-11-22T02:14:07Z"}};
  report.calls = {{"session", 1 << 20, 1000, 20, 31, 5000}, {"database", 5, 0, 1, 1, 0}};
  const auto events = book.Update(report, "/r", 1000);
  REQUIRE(events.size() == 1);
  CHECK(events[0].kind == AlertKind::kCircle);
  CHECK(events[0].members == std::vector<std::string>{"auth", "session"});
  CHECK(events[0].depth == 3);
  CHECK(events[0].evidence.find("for session") != std::string::npos);
  CHECK(events[0].evidence.find("database") == std::string::npos);
  CHECK(AlertLine(events[0]).find("auth and session call each other in a circle (depth 3") == 0);
  report.circles[0].depth = 9;
  CHECK(book.Update(report, "/r", 2000).empty());
  REQUIRE(book.Active().size() == 1);
  CHECK(book.Active()[0].starts_ms == 1000);
  CHECK(book.Active()[0].depth == 9);
  const std::string sent = ToAlertmanager(book.Active(), 60'000);
  CHECK(sent.find("\"alertname\":\"HeapgaugeCircle\"") != std::string::npos);
  CHECK(sent.find("\"members\":\"auth,session\"") != std::string::npos);
  CHECK(book.Update(ReportWith({}), "/r", 3000).empty());
  const auto over = book.Update(ReportWith({}), "/r", 4000);
  REQUIRE(over.size() == 1);
  CHECK_FALSE(over[0].firing);
  CHECK(over[0].starts_ms == 1000);
  CHECK(ToJson(over[0]).find("\"status\":\"resolved\",\"kind\":\"circle\"") != std::string::npos);
  CHECK(AlertLine(over[0]).find("over: auth and session no longer") == 0);
  CHECK(book.Active().empty());
}

TEST_CASE("circles with other members are other alerts, beside leaks and the limit", "[alert]") {
  AlertBook book;
  Report report = ReportWith({SiteWith("a", "leak")});
  report.circles = {{{"auth", "session"}, 1, 0, ""}, {{"auth", "tokens"}, 1, 0, ""}};
  CHECK(book.Update(report, "/r", 1000).size() == 3);
  report.circles.pop_back();
  CHECK(book.Update(report, "/r", 2000).empty());
  const auto over = book.Update(report, "/r", 3000);
  REQUIRE(over.size() == 1);
  CHECK(over[0].members == std::vector<std::string>{"auth", "tokens"});
}

}  // namespace
}  // namespace heapgauge
