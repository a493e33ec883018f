#include "runner.h"

#include <httplib.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <thread>

#include "shopper.h"

namespace checkout::load {
namespace {

constexpr char kHost[] = "127.0.0.1";
// Well below the service's own idle limit, so that a connection is never used while the other end
// closes it.
constexpr double kMaxIdleSeconds = 1;

void Configure(httplib::Client& client) {
  client.set_keep_alive(true);
  client.set_tcp_nodelay(true);
  client.set_connection_timeout(2);
  client.set_read_timeout(5);
  client.set_write_timeout(5);
}

httplib::Result Send(httplib::Client& client, const RequestToSend& request,
                     const std::string& session) {
  httplib::Headers headers;
  if (!session.empty()) headers.emplace("X-Session", session);
  if (request.method == RequestToSend::Method::kGet) return client.Get(request.path, headers);
  if (request.method == RequestToSend::Method::kDelete) return client.Delete(request.path, headers);
  return client.Post(request.path, headers, request.body, "application/json");
}

}  // namespace

Runner::Runner(const LoadOptions& options) : options_(options), pacer_(options_.phases) {}

std::string Runner::Check() const {
  httplib::Client client(kHost, options_.port);
  Configure(client);
  const std::string where = std::string(kHost) + ":" + std::to_string(options_.port);
  const auto answer = client.Get("/health");
  if (!answer) return "no service answers on " + where + "; is it running?";
  if (answer->status != 200) {
    return "what answers on " + where + " is no checkout_service: /health gave status " +
           std::to_string(answer->status);
  }
  return "";
}

LoadResult Runner::Run() {
  begin_ = Clock::now();
  std::vector<std::thread> workers;
  for (int i = 0; i < options_.workers; ++i) {
    workers.emplace_back([this, i] { Work(options_.seed * 1000 + static_cast<uint64_t>(i)); });
  }
  Watch();
  for (std::thread& worker : workers) worker.join();
  const absl::MutexLock lock(&mutex_);
  result_.seconds = NowSeconds();
  result_.planned = pacer_.total();
  return result_;
}

bool Runner::SleepUntil(double due_s) const {
  // In steps, so that Stop is noticed.
  while (!stop_.load(std::memory_order_relaxed)) {
    const double left_s = due_s - NowSeconds();
    if (left_s <= 0) return true;
    std::this_thread::sleep_for(std::chrono::duration<double>(std::min(left_s, 0.1)));
  }
  return false;
}

void Runner::Work(uint64_t seed) {
  httplib::Client client(kHost, options_.port);
  Configure(client);
  Shopper shopper(seed, options_.product_count);
  const double deadline_s = TotalSeconds(options_.phases) + kGraceSeconds;
  double last_used_s = NowSeconds();
  while (const auto ticket = pacer_.Next()) {
    if (!SleepUntil(ticket->due_s)) return;
    double now_s = NowSeconds();
    if (now_s > deadline_s) {
      const absl::MutexLock lock(&mutex_);
      ++result_.errors;
      ++second_errors_;
      continue;
    }
    if (now_s - last_used_s > kMaxIdleSeconds) client.stop();  // the next request connects anew
    const RequestToSend request =
        shopper.Next(ticket->phase->coupon_share.value_or(options_.coupon_share));
    const auto answer = Send(client, request, shopper.session());
    now_s = last_used_s = NowSeconds();
    const Outcome outcome =
        answer ? shopper.Answer(answer->status, answer->body) : shopper.Answer(0, "");
    const auto latency_us = static_cast<uint64_t>(std::max(0.0, now_s - ticket->due_s) * 1e6);
    const absl::MutexLock lock(&mutex_);
    ++result_.sent;
    result_.latency.Add(latency_us);
    second_.Add(latency_us);
    if (outcome == Outcome::kError) {
      ++result_.errors;
      ++second_errors_;
    } else if (outcome == Outcome::kExpired) {
      ++result_.expired;
    }
  }
}

// Switches the defect where the plan says so and prints a line each second.
void Runner::Watch() {
  double begin_s = 0;
  double next_line_s = 1;
  for (const Phase& phase : options_.phases) {
    if (!SleepUntil(begin_s)) return;
    if (phase.defect) SwitchDefect(*phase.defect);
    begin_s += phase.seconds;
    for (; next_line_s <= begin_s; next_line_s += 1) {
      if (!SleepUntil(next_line_s)) return;
      PrintSecond(next_line_s);
    }
  }
  SleepUntil(begin_s);
}

void Runner::SwitchDefect(bool on) {
  httplib::Client client(kHost, options_.port);
  Configure(client);
  const auto answer =
      client.Post(on ? "/admin/defect?coupon_leak=on" : "/admin/defect?coupon_leak=off");
  if (answer && answer->status == 200) {
    if (!options_.quiet) std::printf("%6.0f s  defect %s\n", NowSeconds(), on ? "on" : "off");
    return;
  }
  std::fprintf(stderr, "checkout_load: the service did not switch the defect %s\n",
               on ? "on" : "off");
  const absl::MutexLock lock(&mutex_);
  // The run is not what was asked for: make it fail, however few the other errors.
  result_.errors += std::max<uint64_t>(1, pacer_.total());
}

void Runner::PrintSecond(double now_s) {
  LatencyHistogram second;
  uint64_t errors = 0;
  double begin_s = 0;
  {
    const absl::MutexLock lock(&mutex_);
    second = second_;
    errors = second_errors_;
    begin_s = second_begin_s_;
    second_.Clear();
    second_errors_ = 0;
    second_begin_s_ = NowSeconds();
  }
  if (options_.quiet) return;
  const double seconds = std::max(1e-3, NowSeconds() - begin_s);
  std::printf("%6.0f s  %7.1f requests/s  %llu errors  mean %.2f ms  p99 %.2f ms\n", now_s,
              static_cast<double>(second.count()) / seconds,
              static_cast<unsigned long long>(errors), second.MeanMs(), second.QuantileMs(0.99));
  std::fflush(stdout);
}

}  // namespace checkout::load
