// checkout_load: customers for checkout_service, at a rate that can change over time.  See
// ../README.md.
#include <signal.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <iostream>
#include <string>
#include <variant>

#include "runner.h"

namespace {

constexpr double kMaxErrorShare = 0.01;

checkout::load::Runner* running = nullptr;  // for the signal handler

void OnStopSignal(int) { running->Stop(); }

void PrintSummary(const checkout::load::LoadResult& result, double error_share) {
  const auto& latency = result.latency;
  std::printf(
      "checkout_load: %llu of %llu requests in %.1f s (%.1f/s), %llu errors (%.2f %%), "
      "%llu expired sessions\n",
      static_cast<unsigned long long>(result.sent), static_cast<unsigned long long>(result.planned),
      result.seconds, static_cast<double>(result.sent) / result.seconds,
      static_cast<unsigned long long>(result.errors), 100 * error_share,
      static_cast<unsigned long long>(result.expired));
  std::printf("checkout_load: p50 %.2f ms, p99 %.2f ms, p99.9 %.2f ms, max %.2f ms\n",
              latency.QuantileMs(0.5), latency.QuantileMs(0.99), latency.QuantileMs(0.999),
              latency.MaxMs());
}

int Fail(int status, const std::string& why) {
  std::cerr << "checkout_load: " << why << "\n";
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  checkout::load::LoadOptions options;
  std::string phases = "20s@100";
  CLI::App app(
      "Customers for checkout_service on 127.0.0.1.  Exit status 0 when less than 1 % of the "
      "requests fail.",
      "checkout_load");
  app.add_option("--port", options.port, "Port of the service")
      ->required()
      ->check(CLI::Range(1, 65535));
  app.add_option(
         "--phases", phases,
         "Duration@rate, separated by commas: 10s@50,30s@50..150,60s@150+defect.  A..B is a ramp; "
         "+defect and -defect switch the service's defect; +coupons=SHARE sets the share of bad "
         "coupons")
      ->capture_default_str();
  app.add_option("--coupon-share", options.coupon_share,
                 "Share of checkouts with a coupon that is refused")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  app.add_option("--workers", options.workers, "Connections; fewer than the service has threads")
      ->check(CLI::Range(1, 255))
      ->capture_default_str();
  app.add_option("--products", options.product_count, "Products the service was started with")
      ->check(CLI::Range(size_t{8}, size_t{100'000}))
      ->capture_default_str();
  app.add_option("--seed", options.seed, "Other customers for another seed")->capture_default_str();
  app.add_flag("--quiet", options.quiet, "Only the summary");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);
    return Fail(2, std::string(error.what()) + "; see --help");
  }
  auto parsed = checkout::load::ParsePhases(phases);
  if (const auto* const wrong = std::get_if<std::string>(&parsed))
    return Fail(2, "--phases: " + *wrong);
  options.phases = std::get<0>(std::move(parsed));

  signal(SIGPIPE, SIG_IGN);  // a service that goes away is an error to count, not our end
  checkout::load::Runner runner(options);
  if (const std::string why = runner.Check(); !why.empty()) return Fail(1, why);
  running = &runner;
  signal(SIGINT, OnStopSignal);
  signal(SIGTERM, OnStopSignal);

  const checkout::load::LoadResult result = runner.Run();
  // Stopped before anything was due: nothing failed.
  const uint64_t judged = result.sent > 0 ? result.sent : result.errors;
  const double error_share =
      judged == 0 ? 0 : static_cast<double>(result.errors) / static_cast<double>(judged);
  PrintSummary(result, error_share);
  return error_share < kMaxErrorShare ? 0 : 1;
}
