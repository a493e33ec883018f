#include "cli/top_table.h"

#include <catch2/catch.hpp>
#include <string>

#include "report/printable.h"
#include "unit/report/sample_report.h"

namespace heapgauge::cli {
namespace {

TEST_CASE("top shows the process, a heading, and the call sites there is room for", "[cli][top]") {
  const Report report = LeakingCheckout();
  TopHistory history;
  history.Add(report);
  const auto lines = TopLines(report, history, {.columns = 100, .rows = 5});
  REQUIRE(lines.size() == 5);
  CHECK(lines[0].text.starts_with("checkout_service (4242)  LEAK  live "));
  CHECK(lines[1].text.starts_with("2 of "));
  CHECK(lines[2].text.find("VERDICT") == 0);
  CHECK(lines[3].verdict == CallsitesOf(report)[0].sum.verdict);
  CHECK(lines[0].verdict.empty());
}

TEST_CASE("top says how old figures are that it shows again", "[cli][top]") {
  const Report report = LeakingCheckout();
  CHECK(TopLines(report, TopHistory(), {.columns = 100})[1].text.find("ago") == std::string::npos);
  CHECK(TopLines(report, TopHistory(), {.columns = 100, .age_s = 12})[1].text.find(
            ", of 12 s ago") != std::string::npos);
}

TEST_CASE("top tells the time left when growth has lasted", "[cli][top]") {
  Report report = LeakingCheckout();
  const auto head = [&] { return TopLines(report, TopHistory(), {.columns = 200})[0].text; };
  CHECK(head().find("  limit in 6 h 48 min") != std::string::npos);
  report.forecast->growth_window_s = 45;
  CHECK(head().find("limit") == std::string::npos);
}

TEST_CASE("no line of top is wider than the terminal", "[cli][top]") {
  const Report report = LeakingCheckout();
  TopHistory history;
  for (int i = 0; i < 40; ++i) history.Add(report);
  for (size_t columns = 3; columns < 200; ++columns) {
    for (const bool ascii : {false, true}) {
      for (const TopLine& line : TopLines(report, history, {.columns = columns, .ascii = ascii}))
        CHECK(DisplayWidth(line.text) <= columns);
    }
  }
}

TEST_CASE("top sorts by what it is asked for", "[cli][top]") {
  Report report = LeakingCheckout();
  report.callsites.clear();  // each of its sites stands for one
  const auto first = [&](TopOrder order) {
    return TopLines(report, TopHistory(), {.columns = 100, .rows = 4, .order = order})[3].text;
  };
  report.sites[0].growth_bytes_per_s = 1;
  report.sites[0].live_bytes = 2048;
  report.sites[1].growth_bytes_per_s = 5;
  report.sites[1].live_bytes = 1024;
  report.sites[2].growth_bytes_per_s = 2;
  report.sites[2].live_bytes = 4096;
  CHECK(first(TopOrder::kRank).find("2.00 KiB") != std::string::npos);
  CHECK(first(TopOrder::kGrowth).find("1.00 KiB") != std::string::npos);
  CHECK(first(TopOrder::kLive).find("4.00 KiB") != std::string::npos);
}

TEST_CASE("a sparkline goes from the lowest to the highest of the looks shown", "[cli][top]") {
  Report report = LeakingCheckout();
  report.callsites.clear();
  report.sites.resize(1);
  TopHistory history;
  for (const double live : {0.0, 50.0, 100.0}) {
    report.sites[0].live_bytes = live;
    history.Add(report);
  }
  const std::string id = CallsitesOf(report)[0].sum.id;
  CHECK(history.Sparkline(id, 5, true) == "   =#");
  CHECK(history.Sparkline(id, 2, true) == " #");
  CHECK(history.Sparkline("another", 3, true) == "   ");
  CHECK(DisplayWidth(history.Sparkline(id, 5, false)) == 5);
}

}  // namespace
}  // namespace heapgauge::cli
