#include "report/report_choice.h"

#include <catch2/catch.hpp>
#include <fstream>
#include <string>

#include "report/json_writer.h"
#include "unit/report/temp_directory.h"

namespace heapgauge {
namespace {

using Kind = ReportChoice::Kind;

TEST_CASE("a report is named by number, time or peak", "[report][choice]") {
  CHECK(ParseReportChoice("")->kind == Kind::kNewest);
  CHECK(ParseReportChoice("peak")->kind == Kind::kPeak);
  CHECK(ParseReportChoice("17")->number == 17);
  CHECK(ParseReportChoice("2026-11-22")->time == "2026-11-22T00:00:00");
  CHECK(ParseReportChoice("2026-11-22 02:14")->time == "2026-11-22T02:14:00");
  CHECK(ParseReportChoice("2026-11-22t02:14:05Z")->time == "2026-11-22T02:14:05");
  CHECK(ParseReportChoice("2026-11-22T02:14:05.123Z")->time == "2026-11-22T02:14:05.123");
  for (const char* wrong : {"0", "-1", "seventeen", "17th", "2026-11", "2026-11-22T02",
                            "2026-11-22T02:14:05.", "2026-11-22T02:14:05.x", "2026/11/22",
                            "2026-11-22T02:14+01:00", "99999999999999999999999"}) {
    CAPTURE(wrong);
    CHECK_FALSE(ParseReportChoice(wrong));
  }
}

struct History {
  TempDirectory directory;
  std::string path = directory / "reports.jsonl";

  void Add(uint64_t sequence, const std::string& time, double live, const char* instance = "a") {
    Report report;
    report.sequence = sequence;
    report.pid = 1;
    report.instance = instance;
    report.time = time;
    report.totals.live_bytes = live;
    std::ofstream(path, std::ios::app) << ToJson(report) << "\n";
  }

  uint64_t At(const char* text) {
    std::vector<std::string> notes;
    const auto report = ReadReport(path, *ParseReportChoice(text), &notes, &error);
    return report ? report->sequence : 0;
  }

  std::string error;
};

TEST_CASE("the report that is meant is found", "[report][choice]") {
  History history;
  history.Add(1, "2026-11-22T02:00:00.500Z", 10);
  history.Add(2, "2026-11-22T02:01:00.500Z", 30);
  history.Add(3, "2026-11-22T02:02:00.500Z", 20);
  CHECK(history.At("") == 3);
  CHECK(history.At("2") == 2);
  CHECK(history.At("peak") == 2);
  CHECK(history.At("2026-11-22T02:01:00.500Z") == 2);
  CHECK(history.At("2026-11-22T02:01:00") == 1);
  CHECK(history.At("2026-11-22T02:02") == 2);
  CHECK(history.At("2026-11-23") == 3);
  CHECK(history.At("2026-11-22") == 0);
  CHECK(history.error == "no report in " + history.path +
                             " was written by 2026-11-22T00:00:00: it holds 1 to 3, from "
                             "2026-11-22T02:00:00.500Z to 2026-11-22T02:02:00.500Z");
  CHECK(history.At("4") == 0);
}

TEST_CASE("of several runs in one file the last is meant", "[report][choice]") {
  History history;
  history.Add(1, "2026-11-22T02:00:00Z", 99);
  history.Add(2, "2026-11-22T02:01:00Z", 98);
  history.Add(1, "2026-11-22T03:00:00Z", 10, "b");
  history.Add(2, "2026-11-22T03:01:00Z", 5, "b");
  CHECK(history.At("peak") == 1);
  CHECK(history.At("2026-11-22T02:30") == 0);
}

}  // namespace
}  // namespace heapgauge
