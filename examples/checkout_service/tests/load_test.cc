#include <catch2/catch.hpp>
#include <string>
#include <variant>
#include <vector>

#include "load/latency.h"
#include "load/phases.h"
#include "load/shopper.h"

namespace checkout::load {
namespace {

std::vector<Phase> Good(std::string_view text) {
  auto parsed = ParsePhases(text);
  if (const auto* const wrong = std::get_if<std::string>(&parsed)) FAIL(*wrong);
  return std::get<0>(std::move(parsed));
}

std::string Wrong(std::string_view text) {
  const auto parsed = ParsePhases(text);
  const auto* const wrong = std::get_if<std::string>(&parsed);
  return wrong == nullptr ? "" : *wrong;
}

TEST_CASE("phases carry durations, rates, ramps and settings", "[phases]") {
  const auto phases = Good("500ms@50,2m@0,10s@50..150+defect+coupons=0.25,1h@1.5-defect");
  REQUIRE(phases.size() == 4);
  CHECK(phases[0].seconds == Approx(0.5));
  CHECK(phases[0].RequestCount() == 25);
  CHECK_FALSE(phases[0].defect);
  CHECK(phases[1].seconds == 120);
  CHECK(phases[1].RequestCount() == 0);
  CHECK(phases[2].RequestCount() == 1000);
  CHECK(phases[2].defect == true);
  CHECK(phases[2].coupon_share == 0.25);
  CHECK(phases[2].RateAt(5) == 100);
  CHECK(phases[3].RequestCount() == 5400);
  CHECK(phases[3].defect == false);
}

TEST_CASE("bad phases are refused by number and reason", "[phases]") {
  CHECK(Wrong("").find("no phases") == 0);
  CHECK(Wrong("10s@50,").find("phase 2 (''): expected a duration") == 0);
  CHECK(Wrong("10@50").find("phase 1 ('10@50'): expected a duration") == 0);
  CHECK(Wrong("10s").find("expected @ and a rate") != std::string::npos);
  CHECK(Wrong("10s@").find("expected a rate") != std::string::npos);
  CHECK(Wrong("10s@-5").find("expected a rate") != std::string::npos);
  CHECK(Wrong("10s@1e9").find("'e9' is none of") != std::string::npos);
  CHECK(Wrong("10s@999999").find("0 to 100000") != std::string::npos);
  CHECK(Wrong("0s@5").find("longer than nothing") != std::string::npos);
  CHECK(Wrong("10s@5..").find("after the ..") != std::string::npos);
  CHECK(Wrong("10s@5+coupons=2").find("0 to 1") != std::string::npos);
  CHECK(Wrong("10s@5+defects").find("'s' is none of") != std::string::npos);
  CHECK(Wrong("20h@5,20h@5").find("24 hours") != std::string::npos);
}

TEST_CASE("the pacer deals every request once, in order, at the phase's pace", "[phases]") {
  const auto phases = Good("1s@10,1s@0,2s@10..30");
  Pacer pacer(phases);
  CHECK(pacer.total() == 50);
  double last = -1;
  int in_ramp_first_half = 0;
  int dealt = 0;
  while (const auto ticket = pacer.Next()) {
    CHECK(ticket->due_s >= last);
    last = ticket->due_s;
    ++dealt;
    if (ticket->phase == &phases[0]) CHECK(ticket->due_s < 1);
    if (ticket->phase == &phases[2]) {
      CHECK(ticket->due_s >= 2);
      CHECK(ticket->due_s < 4);
      if (ticket->due_s < 3) ++in_ramp_first_half;
    }
  }
  CHECK(dealt == 50);
  CHECK(in_ramp_first_half == 15);  // 10 rising to 20 a second; the other 25 come after
}

TEST_CASE("quantiles are right within a bucket's width", "[latency]") {
  LatencyHistogram histogram;
  CHECK(histogram.QuantileMs(0.5) == 0);
  for (uint64_t us = 1; us <= 100'000; ++us) histogram.Add(us);
  CHECK(histogram.count() == 100'000);
  CHECK(histogram.MeanMs() == Approx(50.0005));
  CHECK(histogram.MaxMs() == 100);
  for (const double share : {0.01, 0.5, 0.99, 0.999}) {
    CHECK(histogram.QuantileMs(share) >= 100 * share);
    CHECK(histogram.QuantileMs(share) <= 100 * share * (1 + 1.0 / 32) + 0.001);
  }
  histogram.Add(UINT64_MAX);  // the last bucket exists
  CHECK(histogram.QuantileMs(1) == histogram.MaxMs());
}

TEST_CASE("a customer takes a refused coupon and an expired session in its stride", "[shopper]") {
  Shopper shopper(1, 100);
  int refused = 0;
  for (int i = 0; i < 2000; ++i) {
    const RequestToSend request = shopper.Next(1.0);
    const bool coupon = request.path.find("/coupon") != std::string::npos;
    refused += coupon;
    const std::string body = R"({"session":"abc","receipt":7})";
    REQUIRE(shopper.Answer(coupon ? 422 : 200, body) == Outcome::kGood);
  }
  CHECK(refused > 100);
  while (shopper.Next(1.0).path.find("/cart") == std::string::npos) {
    REQUIRE(shopper.Answer(shopper.session().empty() ? 201 : 200, R"({"session":"abc"})") !=
            Outcome::kExpired);
  }
  CHECK(shopper.Answer(404, R"({"error":"no such session, or it has expired"})") ==
        Outcome::kExpired);
  CHECK(shopper.Next(1.0).path == "/sessions");
  CHECK(shopper.Answer(0, "") == Outcome::kError);
}

}  // namespace
}  // namespace checkout::load
