#include "report/difference.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <string>

#include "report/diff_writer.h"
#include "report/pprof_reader.h"
#include "report/pprof_writer.h"
#include "unit/report/sample_report.h"

namespace heapgauge {
namespace {

Site At(const std::string& id, const std::string& function, uint32_t line, double live) {
  Site site;
  site.id = id;
  site.live_bytes = live;
  site.live_objects = live / 100;
  site.allocated_bytes = 2 * live;
  Frame& frame = site.frames.Edit().emplace_back();
  frame.function = function;
  frame.file = "/src/shop.cc";
  frame.line = line;
  frame.module = "/bin/shop";
  frame.module_offset = line * 16;
  return site;
}

Report Of(std::vector<Site> sites, uint64_t sequence = 1) {
  Report report;
  report.sequence = sequence;
  report.pid = 4;
  report.instance = "1.4.99";
  report.exe = "/bin/shop";
  report.time = "2026-11-22T02:00:00Z";
  for (const Site& site : sites) {
    report.totals.live_bytes += site.live_bytes;
    report.totals.allocated_bytes += site.allocated_bytes;
  }
  report.sites = std::move(sites);
  return report;
}

const ChangedCallsite& Row(const Difference& difference, const std::string& function) {
  for (const ChangedCallsite& row : difference.callsites) {
    if (row.site.frames.at(0).function == function) return row;
  }
  FAIL("no row of " + function);
  return difference.callsites.front();
}

TEST_CASE("call sites are joined by id, whatever else they are called", "[report][diff]") {
  const Report before = Of({At("a", "Cart", 5, 10 * kMiB), At("b", "Coupon", 9, 4 * kMiB)});
  const Report after = Of({At("b", "Coupon", 9, 1 * kMiB), At("a", "Cart", 5, 30 * kMiB)}, 2);
  const Difference difference = DifferenceOf(before, after);
  REQUIRE(difference.callsites.size() == 2);
  CHECK(difference.callsites[0].site.id == "a");  // most growth first
  CHECK(difference.callsites[0].growth_bytes == 20 * kMiB);
  CHECK(difference.callsites[1].growth_bytes == -3 * kMiB);
  CHECK(difference.growth_bytes == 17 * kMiB);
  CHECK(difference.unlisted_bytes == 0);
  CHECK(difference.same_process);
}

TEST_CASE("a binary built anew has other ids and the same places", "[report][diff]") {
  const Report before =
      Of({At("a", "Cart", 5, 10 * kMiB), At("t1", "Twice", 7, kMiB), At("t2", "Twice", 8, kMiB)});
  const Report after = Of({At("x", "Cart", 6, 12 * kMiB), At("y", "Twice", 9, 5 * kMiB)});
  const Difference difference = DifferenceOf(before, after);
  CHECK(Row(difference, "Cart").growth_bytes == 2 * kMiB);
  CHECK_FALSE(Row(difference, "Cart").fresh);
  // Of two lines of one function nobody knows which became the third.
  CHECK(difference.callsites.size() == 4);
  CHECK(Row(difference, "Twice").fresh);
}

TEST_CASE("what is new or gone says so, and what is not listed is summed", "[report][diff]") {
  Report before = Of({At("a", "Cart", 5, 10 * kMiB)});
  Report after = Of({At("b", "Coupon", 9, 4 * kMiB)});
  after.totals.live_bytes += 7 * kMiB;
  const Difference difference = DifferenceOf(before, after);
  CHECK(Row(difference, "Cart").gone);
  CHECK(Row(difference, "Cart").growth_bytes == -10 * kMiB);
  CHECK(Row(difference, "Coupon").fresh);
  CHECK(difference.unlisted_bytes == Approx(7 * kMiB));
  const std::string text = DiffToText(difference, {});
  CHECK(text.find("do not list: +7.00 MiB") != std::string::npos);
}

TEST_CASE("the error of a difference is that of both sides", "[report][diff]") {
  Site before = At("a", "Cart", 5, 10 * kMiB);
  Site after = At("a", "Cart", 5, 12 * kMiB);
  before.live_bytes_stderr = 3 * kMiB;
  after.live_bytes_stderr = 4 * kMiB;
  const Difference difference = DifferenceOf(Of({before}), Of({after}));
  CHECK(difference.callsites[0].growth_stderr == 5 * kMiB);
  CHECK(difference.callsites[0].Low() == Approx(2 * kMiB - 1.96 * 5 * kMiB));
  CHECK(DiffToText(difference, {}).find("within its error") != std::string::npos);
}

TEST_CASE("a difference of profiles has signs, stack by stack", "[report][diff]") {
  const Report before = Of({At("a", "Cart", 5, 10 * kMiB), At("c", "Gone", 2, kMiB)});
  const Report after = Of({At("a", "Cart", 5, 4 * kMiB), At("b", "Coupon", 9, 3 * kMiB)});
  std::string error;
  const auto profile = FromPprof(DiffToPprof(DifferenceOf(before, after)), &error);
  REQUIRE(error == "");
  std::map<std::string, double> live;
  for (const Site& site : profile->sites) live[site.frames.at(0).function] = site.live_bytes;
  CHECK(live == std::map<std::string, double>{
                    {"Cart", -6 * kMiB}, {"Coupon", 3 * kMiB}, {"Gone", -1 * kMiB}});
  // Nothing changed: nothing is left.
  CHECK(FromPprof(DiffToPprof(DifferenceOf(after, after)), &error)->sites.empty());
}

TEST_CASE("two profiles are compared by places", "[report][diff]") {
  const Report before = Of({At("a", "Cart", 5, 10 * kMiB)});
  const Report after = Of({At("a", "Cart", 5, 14 * kMiB)});
  std::string error;
  const auto old_profile = FromPprof(ToPprof(before), &error);
  const auto new_profile = FromPprof(ToPprof(after), &error);
  REQUIRE(error == "");
  const Difference difference = DifferenceOf(*old_profile, *new_profile);
  REQUIRE(difference.callsites.size() == 1);
  CHECK(difference.callsites[0].growth_bytes == 4 * kMiB);
  CHECK_FALSE(difference.same_process);
}

TEST_CASE("a folded difference has both sides of each stack", "[report][diff]") {
  const Report before = Of({At("a", "Cart", 5, 10), At("c", "Gone", 2, 7)});
  const Report after = Of({At("a", "Cart", 5, 4), At("z", "Zero", 2, 0)});
  CHECK(DiffToFolded(before, after) == "Cart 10 4\nGone 7 0\n");
}

TEST_CASE("a difference as JSON says how much of it is shown", "[report][diff]") {
  const Difference difference = DifferenceOf(QuietProcess(), LeakingCheckout());
  const auto json = nlohmann::json::parse(DiffToJson(difference, 1));
  CHECK(json["schema"] == "heapgauge.diff/1");
  CHECK(json["callsites"].size() == 1);
  CHECK(json["callsites_total"] == difference.callsites.size());
  CHECK(json["callsites"][0]["new"] == true);
  CHECK(json["callsites"][0]["growth_bytes"] == difference.callsites[0].growth_bytes);
  CHECK(json["after"]["time"] == LeakingCheckout().time);
}

}  // namespace
}  // namespace heapgauge
