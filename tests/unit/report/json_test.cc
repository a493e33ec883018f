#include <catch2/catch.hpp>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>

#include "report/json_reader.h"
#include "report/json_writer.h"
#include "unit/report/golden.h"
#include "unit/report/sample_report.h"

namespace heapgauge {
namespace {

TEST_CASE("the JSON report has the schema's keys, in order", "[report][json][golden]") {
  CheckGolden("leaking_checkout.json", ToJson(LeakingCheckout()) + "\n");
  CheckGolden("quiet_process.json", ToJson(QuietProcess()) + "\n");
}

TEST_CASE("what is written is what is read", "[report][json]") {
  for (const Report& report : {LeakingCheckout(), QuietProcess(), Report{}}) {
    const std::string line = ToJson(report);
    std::string error;
    const std::optional<Report> back = FromJson(line, &error);
    INFO(error);
    REQUIRE(back);
    CHECK(*back == report);
    CHECK(ToJson(*back) == line);
  }
  std::string error;
  const Report back = *FromJson(ToJson(LeakingCheckout()), &error);
  CHECK(back.sites[0].frames[3].line == 88);
  CHECK(back.sites[0].lifetime_p99_s == 1.25);
  CHECK_FALSE(back.sites[2].lifetime_p50_s);
  CHECK(back.forecast->seconds_high == 26214.5);
  CHECK(back.sites_total == 211);
}

TEST_CASE("call sites are written with their line and find their stack again", "[report][json]") {
  Report report = LeakingCheckout();
  report.callsites_total = 40;
  Callsite callsite;
  callsite.sum = report.sites[0];
  callsite.sum.id = "00000000000000aa";
  callsite.stacks = 31;
  callsite.largest_stack_share = 0.25;
  callsite.sites = {report.sites[0].id, report.sites[1].id};
  Callsite elsewhere = callsite;
  elsewhere.sites = {"0000000000000bad"};  // not among those listed
  report.callsites = {callsite, elsewhere};
  const std::string line = ToJson(report);
  CHECK(line.find("\"line\":88") != std::string::npos);
  std::string error;
  const std::optional<Report> back = FromJson(line, &error);
  INFO(error);
  REQUIRE(back);
  CHECK(back->callsites_total == 40);
  REQUIRE(back->callsites.size() == 2);
  CHECK(back->callsites[0].stacks == 31);
  CHECK(back->callsites[0].largest_stack_share == 0.25);
  CHECK(back->callsites[0].sites == callsite.sites);
  CHECK(back->callsites[0].sum.frames.size() == report.sites[0].frames.size());
  REQUIRE(back->callsites[1].sum.frames.size() == 1);
  CHECK(back->callsites[1].sum.frames[0].line == 88);
  CHECK(ToJson(*back) == line);
}

TEST_CASE("a report without call sites has each of its sites for one", "[report][json]") {
  const std::vector<Callsite> callsites = CallsitesOf(LeakingCheckout());
  REQUIRE(callsites.size() == 3);
  CHECK(callsites[0].stacks == 1);
  CHECK(callsites[0].sum.id == LeakingCheckout().sites[0].id);
}

TEST_CASE("the JSON is valid whatever the report holds", "[report][json]") {
  constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  Report report = LeakingCheckout();
  report.exe = "/bin/\xff\xc3";
  report.host = std::string("a\0\x1b\n\"\\", 6);
  report.uptime_s = kNaN;
  report.totals.live_bytes = kInfinity;
  report.totals.allocated_bytes = 1e300;
  report.sites[0].growth_low = -kInfinity;
  report.sites[0].lifetime_p50_s = kNaN;
  report.forecast->seconds_high = kInfinity;
  const std::string line = ToJson(report);
  CHECK(line.find('\n') == std::string::npos);
  const auto parsed = nlohmann::json::parse(line);
  CHECK(parsed["uptime_s"] == 0);
  CHECK(parsed["totals"]["live_bytes"] == 0);
  CHECK(parsed["totals"]["allocated_bytes"] == 1e300);
  CHECK(parsed["sites"][0]["growth_low"] == 0);
  CHECK(parsed["sites"][0]["lifetime_p50_s"].is_null());
  CHECK(parsed["forecast"]["seconds_high"].is_null());
  CHECK(parsed["exe"] == "/bin/\ufffd\ufffd");

  report.forecast->seconds_to_limit = kInfinity;
  CHECK(nlohmann::json::parse(ToJson(report))["forecast"].is_null());
}

TEST_CASE("whole figures are integers, others short", "[report][json]") {
  Report report;
  report.totals.live_bytes = 4294967296.0;
  report.totals.growth_bytes_per_s = 1.0 / 3;
  const std::string line = ToJson(report);
  CHECK(line.find("\"live_bytes\":4294967296,") != std::string::npos);
  CHECK(line.find("\"growth_bytes_per_s\":0.333333,") != std::string::npos);
}

TEST_CASE("only as many sites as wanted are written", "[report][json]") {
  const auto parsed = nlohmann::json::parse(ToJson(LeakingCheckout(), 2));
  CHECK(parsed["sites"].size() == 2);
  CHECK(parsed["sites_total"] == 211);
  CHECK(nlohmann::json::parse(ToJson(LeakingCheckout(), 0))["sites"].empty());
}

std::string ErrorFor(const std::string& line) {
  std::string error;
  CHECK_FALSE(FromJson(line, &error));
  return error;
}

TEST_CASE("a foreign or damaged line is refused with place and reason", "[report][json]") {
  const std::string head = R"({"schema":"heapgauge.report/1","sequence":1,"pid":1,)";
  CHECK(ErrorFor("hello") == "no valid JSON at byte 1, near hello");
  CHECK(ErrorFor("{\"a\": 1, \x1b[2J}") == "no valid JSON at byte 10, near \\x1b[2J}");
  CHECK(ErrorFor(R"({"schema":"heapgauge.rep)") == "the JSON ends early, at byte 24");
  CHECK(ErrorFor("[1,2]") == "the line: expected an object, found an array");
  CHECK(ErrorFor("{}") ==
        "no heapgauge report: \"schema\" is missing, expected \"heapgauge.report/1\"");
  CHECK(ErrorFor(R"({"schema":"heapgauge.report/2"})") ==
        "schema is \"heapgauge.report/2\", this version reads \"heapgauge.report/1\"");
  CHECK(ErrorFor(R"({"schema":7})") == "schema: expected a string, found 7");
  CHECK(ErrorFor(R"({"schema":"heapgauge.report/1"})") == "sequence is missing");
  CHECK(ErrorFor(head + R"("sites":{}})") == "sites: expected an array, found an object");
  CHECK(ErrorFor(head + R"("sites":[{},{"frames":[{"line":"x"}]}]})") ==
        "sites[1].frames[0].line: expected a number, found \"x\"");
  CHECK(ErrorFor(head + R"("sites":[{"rank":-1}]})") ==
        "sites[0].rank: expected a whole number in range, found -1");
  CHECK(ErrorFor(head + R"("sites":[{"rank":4294967296}]})") ==
        "sites[0].rank: expected a whole number in range, found 4294967296");
  CHECK(ErrorFor(head + R"("sites":[{"labels":{"a":1}}]})") ==
        "sites[0].labels.a: expected a string, found 1");
  CHECK(ErrorFor(head + R"("sites":[],"forecast":{"limit_bytes":1.5}})") ==
        "forecast.limit_bytes: expected a whole number in range, found 1.5");
  CHECK(ErrorFor(head + R"("sites":[],"final":"yes"})") ==
        "final: expected true or false, found \"yes\"");
  CHECK(ErrorFor(R"({"schema":"heapgauge.report/1","sequence":1e999})") ==
        "the JSON holds a number out of range");
  CHECK(ErrorFor(std::string(1000000, '[')) == "the JSON is nested deeper than any report");
}

TEST_CASE("unknown keys and missing optional ones are no fault", "[report][json]") {
  std::string error;
  const auto report =
      FromJson(R"({"schema":"heapgauge.report/1","sequence":3.0,"pid":9,"future":{"x":[1]},
      "sites":[{"rank":1,"callsite":7,"frames":[{"function":"f","line":null,"column":4}]}]})",
               &error);
  INFO(error);
  REQUIRE(report);
  CHECK(report->sequence == 3);
  CHECK(report->verdict == "warming");
  CHECK(report->sites_total == 1);
  CHECK(report->sites[0].callsite == 0);  // pointed past the stack
  CHECK_FALSE(report->sites[0].frames[0].line);
}

TEST_CASE("a report without call sites has them found anew", "[report][json]") {
  std::string error;
  const auto report = FromJson(R"json({"schema":"heapgauge.report/1","sequence":1,"pid":9,"sites":[
      {"frames":[{"function":"malloc"},{"function":"strdup"},{"function":"app::Keep(char*)"}]}]})json",
                               &error);
  REQUIRE(report);
  CHECK(report->sites[0].callsite == 2);
}

}  // namespace
}  // namespace heapgauge
