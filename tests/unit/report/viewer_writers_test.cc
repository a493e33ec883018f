// What viewers of profiles read, as far as one sees it without them; the viewers themselves are
// asked in tests/surfaces.
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <numeric>
#include <string>

#include "report/dhat_writer.h"
#include "report/firefox_writer.h"
#include "report/sarif_writer.h"
#include "report/speedscope_writer.h"
#include "report/stack_table.h"
#include "unit/report/sample_report.h"

namespace heapgauge {
namespace {

using nlohmann::json;

double SumOf(const json& numbers) {
  return std::accumulate(numbers.begin(), numbers.end(), 0.0,
                         [](double sum, const json& number) { return sum + number.get<double>(); });
}

// Names that would break a format that took them as they are.
Report Hostile() {
  Report report = LeakingCheckout();
  report.exe = "/bin/a\"b\n";
  for (Site& site : report.sites) {
    for (Frame& frame : site.frames.Edit()) {
      frame.function = std::string("f\"\\\n\x01\xff</script>") + std::string(100000, 'x');
      frame.file = "/src/\"\n.cc";
    }
    site.growth_bytes = std::numeric_limits<double>::quiet_NaN();
  }
  return report;
}

TEST_CASE("a stack table has every frame once, stacks from the root", "[report][stacks]") {
  const Report report = LeakingCheckout();
  StackTable table;
  const StackTable::Stack first = table.Add(report.sites[0]);
  const size_t frames = table.Frames().size();
  CHECK(first.size() == report.sites[0].frames.size());
  CHECK(table.Add(report.sites[0]) == first);
  CHECK(table.Frames().size() == frames);
  CHECK(table.Frames()[first.front()].name == "start_thread");
  CHECK(table.Frames()[table.Add(Site{}).front()].name == "[no stack]");
}

TEST_CASE("estimates become whole numbers, never negative ones", "[report][stacks]") {
  CHECK(WholeBytes(1.5) == 2);
  CHECK(WholeBytes(-3) == 0);
  CHECK(WholeBytes(std::nan("")) == 0);
  CHECK(WholeBytes(1e300) == uint64_t{1} << 53);
}

TEST_CASE("speedscope gets a profile each for live, grown and allocated bytes",
          "[report][speedscope]") {
  const Report report = LeakingCheckout();
  const json file = json::parse(ToSpeedscope(report));
  REQUIRE(file["profiles"].size() == 3);
  for (const json& profile : file["profiles"]) {
    CHECK(profile["unit"] == "bytes");
    CHECK(profile["samples"].size() == profile["weights"].size());
    CHECK(SumOf(profile["weights"]) == profile["endValue"].get<double>());
    for (const json& stack : profile["samples"]) {
      for (const json& frame : stack) CHECK(frame.get<size_t>() < file["shared"]["frames"].size());
    }
  }
  CHECK(SumOf(file["profiles"][0]["weights"]) == Approx(report.totals.live_bytes).margin(10));
  CHECK(file["shared"]["frames"].back()["name"] == "[other stacks]");
}

TEST_CASE("DHAT's frames can be taken apart again", "[report][dhat]") {
  const Report report = AllListed();
  const json file = json::parse(ToDhat(report));
  CHECK(file["dhatFileVersion"] == 2);
  REQUIRE(file["pps"].size() == report.sites.size());
  const json& first = file["pps"][0];
  CHECK(first["eb"].get<double>() == Approx(report.sites[0].live_bytes).margin(1));
  CHECK(first["tb"].get<double>() == Approx(report.sites[0].allocated_bytes).margin(1));
  for (const json& point : file["pps"]) {
    CHECK(point["tb"] >= point["mb"]);
    CHECK(point["tbk"] >= 1);
    for (const json& frame : point["fs"]) CHECK(frame.get<size_t>() < file["ftbl"].size());
  }
  const std::string leaf = file["ftbl"][first["fs"][3].get<size_t>()];
  CHECK(leaf.starts_with("0x"));
  CHECK(leaf.ends_with(" (coupon.cc:88)"));
}

TEST_CASE("Firefox's deallocations cancel what they free", "[report][firefox]") {
  const Report report = LeakingCheckout();
  const json file = json::parse(ToFirefox(report, {{1, 10, 100}, {2, 30, 90}}));
  const json& thread = file["threads"][0];
  const json& rows = thread["nativeAllocations"];
  std::map<uint64_t, double> of_address;
  for (size_t i = 0; i < rows["weight"].size(); ++i)
    of_address[rows["memoryAddress"][i]] += rows["weight"][i].get<double>();
  double retained = 0;
  for (const auto& [address, bytes] : of_address) {
    CHECK(bytes >= 0);
    retained += bytes;
  }
  double live = 0;
  for (const Site& site : report.sites) live += site.live_bytes;
  CHECK(retained == Approx(live).margin(10));
  CHECK(std::is_sorted(rows["time"].begin(), rows["time"].end()));
  CHECK(SumOf(thread["samples"]["weight"]) == Approx(live).margin(10));
  CHECK(file["counters"][0]["samples"]["count"] == json({10, 20}));
  CHECK(file["counters"][1]["samples"]["count"] == json({100, -10}));
  const size_t frames = thread["frameTable"]["length"];
  for (const auto& [key, column] : thread["frameTable"].items()) {
    if (key != "length") CHECK(column.size() == frames);
  }
}

TEST_CASE("a file below the source root is shown without it", "[report][sarif]") {
  CHECK(RelativeTo("/src", "/src/a/b.cc") == "a/b.cc");
  CHECK(RelativeTo("/src/", "/src//a.cc") == "a.cc");
  CHECK(RelativeTo("/src", "/src2/a.cc") == "/src2/a.cc");
  CHECK(RelativeTo("/", "/a.cc") == "a.cc");
  CHECK(RelativeTo("", "/a.cc") == "/a.cc");
  CHECK(RelativeTo("/src", "/src") == "/src");
}

TEST_CASE("SARIF names leaks as errors at the call site's line", "[report][sarif]") {
  const Report report = LeakingCheckout();
  const json run = json::parse(ReportToSarif(report, "/src"))["runs"][0];
  REQUIRE_FALSE(run["results"].empty());
  const json& leak = run["results"][0];
  CHECK(leak["ruleId"] == "leak");
  CHECK(leak["level"] == "error");
  const json& place = leak["locations"][0]["physicalLocation"];
  CHECK(place["artifactLocation"]["uri"] == "checkout/coupon.cc");
  CHECK(place["artifactLocation"]["uriBaseId"] == "SRCROOT");
  CHECK(place["region"]["startLine"] == 88);
  CHECK(run["originalUriBaseIds"]["SRCROOT"]["uri"] == "file:///src/");
}

TEST_CASE("a finding keeps its fingerprint when lines are inserted above", "[report][sarif]") {
  const auto print = [](const Report& report) {
    return json::parse(
        ReportToSarif(report, "/src"))["runs"][0]["results"][0]["partialFingerprints"];
  };
  Report report = LeakingCheckout();
  const json before = print(report);
  report.build_id = "another";
  report.sites[0].id = "0000000000000000";
  for (Frame& frame : report.sites[0].frames.Edit()) {
    if (frame.line) frame.line = *frame.line + 10;
    frame.module_offset += 512;
  }
  CHECK(print(report) == before);
  report.sites[0].frames.Edit()[report.sites[0].callsite].function = "Another()";
  CHECK(print(report) != before);
}

TEST_CASE("hostile names leave every format whole", "[report][viewers]") {
  const Report report = Hostile();
  for (const std::string& text :
       {ToSpeedscope(report), ToDhat(report), ToFirefox(report, {}), ReportToSarif(report, "")}) {
    const json file = json::parse(text, nullptr, false);
    CHECK_FALSE(file.is_discarded());
    CHECK(text.size() < 200000);
  }
}

}  // namespace
}  // namespace heapgauge
