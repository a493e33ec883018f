#include "alert/alert.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "alert/alert_request.h"
#include "report/units.h"

namespace heapgauge {
namespace {

using Json = nlohmann::json;

Report LeakingReport() {
  Report report;
  report.sequence = 31;
  report.pid = 4711;
  report.exe = "/srv/checkout_service";
  report.host = "shop-1";
  report.verdict = "leak";
  report.forecast = Forecast{uint64_t{1} << 30, "cgroup", 7200, 6000, 9000};
  Site site;
  site.id = "0123456789abcdef";
  site.verdict = "leak";
  site.confidence = 0.97;
  site.evidence = "412 of 3 900 outlived the rest";
  site.live_bytes = 3 << 20;
  site.growth_bytes_per_s = 2 << 20;
  site.growth_low = 1 << 20;
  site.growth_high = 3 << 20;
  Frame wrapper;
  wrapper.function = "operator new(unsigned long)";
  Frame guilty;
  guilty.function = "checkout::CouponBook::RejectCoupon(std::string const&)";
  guilty.file = "/src/checkout/coupon.cc";
  guilty.line = 71;
  Frame caller;
  caller.function = "main";
  site.frames = {wrapper, guilty, caller};
  site.callsite = 1;
  report.sites.push_back(site);
  return report;
}

Alert Leak() {
  const Report report = LeakingReport();
  Alert alert = MakeAlert(report, &report.sites[0]);
  alert.starts_ms = 1'700'000'000'000;
  alert.time_ms = alert.starts_ms + 60'500;
  alert.report_directory = "/var/reports";
  return alert;
}

TEST_CASE("an alert names the callsite, not the wrapper", "[alert]") {
  const Json json = Json::parse(ToJson(Leak()));
  CHECK(json["schema"] == "heapgauge.alert/1");
  CHECK(json["status"] == "firing");
  CHECK(json["kind"] == "leak");
  CHECK(json["function"] == "checkout::CouponBook::RejectCoupon");
  CHECK(json["file"] == "/src/checkout/coupon.cc");
  CHECK(json["line"] == 71);
  CHECK(json["site"] == "0123456789abcdef");
  CHECK(json["growth_bytes_per_s"] == 2 << 20);
  CHECK(json["seconds_to_limit"] == 7200);
  CHECK(json["starts_at"] == "2023-11-14T22:13:20.000Z");
  CHECK(json["time"] == "2023-11-14T22:14:20.500Z");
  CHECK(json["ends_at"].is_null());
  CHECK(json["stack"].size() == 2);
}

TEST_CASE("a cleared alert has an end", "[alert]") {
  Alert alert = Leak();
  alert.firing = false;
  const Json json = Json::parse(ToJson(alert));
  CHECK(json["status"] == "resolved");
  CHECK(json["ends_at"] == json["time"]);
}

TEST_CASE("for a person it is one line with the guilty line in it", "[alert]") {
  const std::string line = AlertLine(Leak());
  CHECK(line.find("checkout_service (pid 4711) leaks at checkout::CouponBook::RejectCoupon "
                  "(coupon.cc:71)") == 0);
  CHECK(line.find("2 h left to the limit of 1.00 GiB") != std::string::npos);
  CHECK(line.find('\n') == std::string::npos);
}

TEST_CASE("a leak's alert foretells no end within the hour from seconds of growth", "[alert]") {
  Report report = LeakingReport();
  const Site leak = CallsitesOf(report).front().sum;
  report.forecast->seconds_to_limit = 1000;
  report.forecast->growth_of = "usage";
  report.forecast->growth_window_s = 199;
  CHECK(AlertLine(MakeAlert(report, &leak)).find(" left to ") == std::string::npos);
  CHECK(Json::parse(ToJson(MakeAlert(report, &leak)))["seconds_to_limit"].is_null());
  report.forecast->growth_window_s = 200;
  CHECK(AlertLine(MakeAlert(report, &leak)).find(" left to ") != std::string::npos);
}

TEST_CASE("of a near end of memory the figures are those of what grows, not the heap's",
          "[alert]") {
  Report report = LeakingReport();
  report.totals.growth_bytes_per_s = 17;
  report.forecast->growth_bytes_per_s = 100 << 20;
  report.forecast->growth_low = 90 << 20;
  report.forecast->growth_high = 110 << 20;
  const Alert alert = MakeAlert(report, nullptr);
  CHECK(AlertLine(alert) ==
        "the memory of checkout_service (pid 4711): 2 h left to the limit of 1.00 GiB, growing by "
        "+100 MiB/s (95 %: +90.0 MiB/s to +110 MiB/s)");
  const Json json = Json::parse(ToJson(alert));
  CHECK(json["growth_bytes_per_s"] == 100 << 20);
  CHECK(json["growth_low"] == 90 << 20);
  CHECK(json["growth_high"] == 110 << 20);
  const Json annotations = Json::parse(ToAlertmanager({alert}, 1))[0]["annotations"];
  CHECK(annotations["growth"] == "+100 MiB/s (95 %: +90.0 MiB/s to +110 MiB/s)");
}

TEST_CASE("of an end of memory that is no longer near the line says so", "[alert]") {
  Report report = LeakingReport();
  Alert farther = MakeAlert(report, nullptr);
  farther.firing = false;
  farther.report_directory = "/var/reports";
  CHECK(AlertLine(farther) ==
        "over: the memory of checkout_service (pid 4711) is no longer near its limit (2 h left to "
        "the limit of 1.00 GiB); see /var/reports");
  report.forecast.reset();
  Alert nowhere = MakeAlert(report, nullptr);
  nowhere.firing = false;
  nowhere.report_directory = "/var/reports";
  CHECK(AlertLine(nowhere) ==
        "over: the memory of checkout_service (pid 4711) is no longer near its limit; see "
        "/var/reports");
  CHECK(Json::parse(ToJson(nowhere))["summary"] ==
        "checkout_service (pid 4711) is no longer near its limit");
}

TEST_CASE("names can't command a terminal", "[alert]") {
  Alert alert = Leak();
  alert.function = "evil\x1b[2J\nheapgauge: all is well";
  CHECK(AlertLine(alert).find('\x1b') == std::string::npos);
  CHECK(AlertLine(alert).find('\n') == std::string::npos);
  CHECK(Json::parse(ToJson(alert))["function"] == alert.function);
}

TEST_CASE("what Alertmanager gets says who, where and until when", "[alert]") {
  Alert cleared = Leak();
  cleared.firing = false;
  const Json array = Json::parse(ToAlertmanager({Leak(), cleared}, 300'000));
  REQUIRE(array.size() == 2);
  const Json& labels = array[0]["labels"];
  CHECK(labels["alertname"] == "HeapgaugeLeak");
  CHECK(labels["function"] == "checkout::CouponBook::RejectCoupon");
  CHECK(labels["line"] == "71");
  CHECK(labels["job"] == "checkout_service");
  CHECK(array[0]["endsAt"] == FormatUtc(Leak().time_ms + 300'000));
  // The same labels, or it would not be the same alert.
  CHECK(array[1]["labels"] == labels);
  CHECK(array[1]["endsAt"] == FormatUtc(Leak().time_ms));
  for (const auto& [name, value] : labels.items()) {
    INFO(name);
    CHECK(value.is_string());
    CHECK_FALSE(value.get<std::string>().empty());
  }
}

TEST_CASE("an alert without file or line still has its labels", "[alert]") {
  Report report = LeakingReport();
  report.sites[0].frames.Edit()[1].file.reset();
  report.sites[0].frames.Edit()[1].line.reset();
  const Alert alert = MakeAlert(report, &report.sites[0]);
  const Json labels = Json::parse(ToAlertmanager({alert}, 1))[0]["labels"];
  CHECK_FALSE(labels.contains("file"));
  CHECK_FALSE(labels.contains("line"));
  CHECK(Json::parse(ToJson(alert))["line"].is_null());
}

TEST_CASE("a request survives the way to the helper", "[alert]") {
  AlertRequest request;
  request.host_pid = 42;
  request.exec = "logger \"it's me\"";
  request.events = {"{\"a\":1}", "two"};
  request.url = "http://localhost:9093/api/v2/alerts";
  request.body = "[]";
  request.retry_ms = 5;
  const auto back = DecodeAlertRequest(EncodeAlertRequest(request));
  REQUIRE(back);
  CHECK(back->host_pid == 42);
  CHECK(back->exec == request.exec);
  CHECK(back->events == request.events);
  CHECK(back->url == request.url);
  CHECK(back->body == "[]");
  CHECK(back->retry_ms == 5);
  for (const char* damaged : {"", "{", "[]", "{\"host_pid\":\"x\"}", "null"}) {
    CHECK_FALSE(DecodeAlertRequest(damaged));
  }
}

TEST_CASE("addresses that alerts can be posted to", "[alert]") {
  CHECK(IsAlertUrl("http://host:9093/api/v2/alerts"));
  CHECK(IsAlertUrl("https://host"));
  for (const char* other : {"", "http://", "http:///path", "host:9093", "file:///etc/passwd"}) {
    INFO(other);
    CHECK_FALSE(IsAlertUrl(other));
  }
}

}  // namespace
}  // namespace heapgauge
