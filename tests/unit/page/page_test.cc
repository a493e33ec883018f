#include "page/page.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "page/page_json.h"
#include "report/text_held.h"
#include "report/time_left.h"
#include "unit/report/sample_report.h"

namespace heapgauge {
namespace {

using nlohmann::json;

History HistoryOf(const Report& report) {
  History history;
  history.Add(report);
  return history;
}

json DataOf(const Report& report, const PageLimits& limits = {}) {
  return json::parse(PageJson(report, HistoryOf(report), false, limits));
}

TEST_CASE("the page's data has each stack's frames by index", "[page][json]") {
  const Report report = LeakingCheckout();
  const json data = DataOf(report);
  CHECK(data["schema"] == "heapgauge.page/1");
  CHECK(data["report"]["sites"].empty());
  REQUIRE(data["stacks"].size() == report.sites.size());
  double before = 1e30;
  for (const json& stack : data["stacks"]) {
    CHECK(stack["live"].get<double>() <= before);
    before = stack["live"];
  }
  const json& first = data["stacks"][0];
  CHECK(first["id"] == report.sites[0].id);
  const std::string line =
      data["frames"][first["frames"][first["line"].get<size_t>()].get<size_t>()][0];
  CHECK(line.starts_with("checkout::ApplyCoupon("));
  CHECK(data["moments"][0]["live"].size() == data["stacks"].size());
  CHECK(data["moments"][0]["live"][0] == first["live"]);
  CHECK(data["chart"]["live"].size() == 1);
}

TEST_CASE("a page never tells the command line's path or a build-id", "[page][json]") {
  Report report = LeakingCheckout();
  report.exe = "/secret/place/checkout_service";
  const json data = DataOf(report);
  CHECK(data["report"]["exe"] == "checkout_service");
  CHECK(data["report"]["modules"].empty());
}

TEST_CASE("a page tells the time left when growth has lasted", "[page][json]") {
  Report report = LeakingCheckout();
  json data = DataOf(report);
  CHECK(data["report"]["forecast"]["seconds_to_limit"] == 24494);
  CHECK(data["too_early"] == "");
  CHECK(HistoryOf(report).Points().back().seconds_to_limit == 24494);
  report.forecast->growth_window_s = 45;
  data = DataOf(report);
  CHECK(data["report"]["forecast"].is_null());
  CHECK(data["too_early"] == TooEarly(report));
  CHECK_FALSE(HistoryOf(report).Points().back().seconds_to_limit);
}

TEST_CASE("a page says who holds it in the words of the report", "[page][json]") {
  Report report = LeakingCheckout();
  Callsite callsite;
  callsite.sum = report.sites[0];
  callsite.held.emplace();
  callsite.held->checked_objects = 40;
  Holder holder;
  holder.kind = "stack";
  holder.name = "main";
  holder.objects = 40;
  holder.share = 1;
  holder.path = {"service.shop_.coupons.waiting_for_a_person_", "std::deque in CouponBook"};
  callsite.held->holders = {holder};
  report.callsites = {callsite};
  const json data = DataOf(report);
  const json& held = data["held"][report.sites[0].id];
  CHECK(held["sentence"] == HeldSentence(*callsite.held));
  CHECK(held["sentence"].get<std::string>().starts_with(
      "kept in std::deque in CouponBook, from main's stack"));
  REQUIRE(held["holders"].size() == 1);
  CHECK(held["holders"][0] == HolderSentence(*callsite.held, holder));
  CHECK(DataOf(LeakingCheckout())["held"].empty());
}

TEST_CASE("what a limit cuts is cut from the end of the ranking", "[page][json]") {
  const Report report = LeakingCheckout();
  REQUIRE(report.sites.size() > 1);
  PageLimits limits;
  limits.stacks = 1;
  limits.callsites = 1;
  const json data = DataOf(report, limits);
  CHECK(data["stacks"].size() == 1);
  CHECK(data["report"]["callsites"].size() == 1);
  CHECK(data["live_shown"].get<double>() <= data["report"]["totals"]["live_bytes"].get<double>());
}

TEST_CASE("a chart of a long history is thinned and ends with the newest report", "[page][json]") {
  History history;
  Report report = LeakingCheckout();
  constexpr uint64_t kReports = 1000;
  for (report.sequence = 1; report.sequence < kReports; ++report.sequence) history.Add(report);
  history.Add(report);
  const json data = json::parse(PageJson(report, history, false));
  CHECK(data["chart"]["sequence"].size() <= PageLimits().points);
  CHECK(data["chart"]["sequence"].size() > PageLimits().points / 2);
  CHECK(data["chart"]["sequence"].back() == kReports);
  for (const json& callsite : data["chart"]["callsites"])
    CHECK(callsite["live"].size() == data["chart"]["sequence"].size());
}

TEST_CASE("names from the watched process never become markup", "[page][html]") {
  Report report = LeakingCheckout();
  report.exe = "/bin/<img src=x onerror=alert(1)>";
  report.sites[0].frames.Edit()[3].function = "</script><script>alert(1)</script>";
  report.sites[0].frames.Edit()[3].file = "<!--";
  report.evidence = "</script>\n";
  const Page page = MakePage(report, HistoryOf(report), false);
  CHECK(page.html.find("<img src=x") == std::string::npos);
  CHECK(page.html.find("<script>alert") == std::string::npos);
  CHECK(page.html.find("</script><script>alert") == std::string::npos);
}

TEST_CASE("a page runs its own scripts alone and asks nobody", "[page][html]") {
  const Report report = LeakingCheckout();
  const Page file = MakePage(report, HistoryOf(report), false);
  CHECK(file.policy.find("connect-src 'none'") != std::string::npos);
  CHECK(file.policy.find("unsafe") == std::string::npos);
  CHECK(file.html.find(file.policy) != std::string::npos);
  CHECK(file.html.find("{{") == std::string::npos);
  const Page again = MakePage(report, HistoryOf(report), true);
  CHECK(again.policy.find("connect-src 'self'") != std::string::npos);
  CHECK(again.policy != MakePage(report, HistoryOf(report), true).policy);  // a nonce is used once
}

TEST_CASE("a page of a thousand C++ sites is below a mebibyte", "[page][html]") {
  constexpr size_t kSites = 1000;
  constexpr size_t kDepth = 20;
  constexpr size_t kReports = 60;
  Report report = LeakingCheckout();
  const Site model = report.sites[0];
  const Callsite callsite = report.callsites.empty() ? Callsite{} : report.callsites[0];
  report.sites.assign(kSites, model);
  report.callsites.assign(256, callsite);
  for (size_t i = 0; i < kSites; ++i) {
    Site& site = report.sites[i];
    site.id = std::to_string(1000000 + i);
    site.live_bytes = 1e8 + static_cast<double>(i) * 12345;
    site.frames.Edit().assign(kDepth, model.frames[3]);
    for (size_t at = 0; at < kDepth; ++at) {
      // Callers are shared as in a program: the nearer the root, the fewer.
      const size_t which = i >> at;
      site.frames.Edit()[at].function =
          "service::module::Component<service::module::Traits<std::string>, " +
          std::to_string(which) + ">::Method" + std::to_string(at) + "(int)";
      site.frames.Edit()[at].line = static_cast<uint32_t>(which + at);
    }
  }
  for (size_t i = 0; i < report.callsites.size(); ++i) {
    report.callsites[i].sum = report.sites[i];
    report.callsites[i].sum.frames = model.frames;
  }
  History history;
  for (report.sequence = 1; report.sequence <= kReports; ++report.sequence) history.Add(report);
  const std::string html = MakePage(report, history, false).html;
  CAPTURE(html.size());
  CHECK(html.size() <= size_t{1} << 20);
}

}  // namespace
}  // namespace heapgauge
