// The half of a soak that runs LOAD.
#include <fmt/core.h>
#include <poll.h>
#include <sys/wait.h>

#include <algorithm>
#include <csignal>

#include "base/clock.h"
#include "cli/soak_load.h"
#include "cli/soak_run.h"
#include "report/units.h"

namespace heapgauge::cli {
namespace {

constexpr double kReportPatience = 10;
constexpr double kLoadInterrupt = 3;  // s after SIGINT, then SIGTERM
constexpr double kLoadTerminate = 2;  // and then SIGKILL
constexpr double kLastWords = 0.3;    // s: for SERVICE's end after LOAD's
constexpr double kQuickLoad = 0.02;   // s: one that ends sooner is not started again at once
constexpr int kQuietLooks = 8;        // exact mode: for reports that agree
constexpr double kQuietPause = 0.1;
constexpr uint64_t kMoreAtOnce = 16;  // runs between two looks at what more of them told
constexpr double kMostMore = 300;     // s

}  // namespace

bool SoakRun::StartLoad() {
  SoakChild load;
  int error = 0;
  if (!load.Start(load_line_, old_mask_, &load_log_, &error)) {
    Fail(SoakEnd::kLoadFailed, fmt::format("LOAD cannot be run: {}", std::strerror(error)));
    return false;
  }
  load.started_s = now_s();
  loads_.push_back(std::move(load));
  return true;
}

void SoakRun::TakeLoadEnds() {
  size_t again = 0;
  for (size_t i = 0; i < loads_.size();) {
    if (!loads_[i].ended()) {
      ++i;
      continue;
    }
    loads_[i].Read();
    const int status = loads_[i].wait_status();
    const double took = now_s() - loads_[i].started_s;
    if (status != 0) {
      // A SERVICE that dies takes LOAD with it, which may be the first to be heard of.
      for (const double until = now_s() + kLastWords; !WentWrong() && now_s() < until; Reap())
        poll(nullptr, 0, 10);
      return Fail(SoakEnd::kLoadFailed,
                  fmt::format("LOAD failed after {}: {}", FormatDuration(took), EndInWords(status)),
                  load_log_.LastLines());
    }
    if (restarts_ && took < kQuickLoad) {
      ++i;
      continue;  // it waits for its time
    }
    // What it left running is ended with it.
    loads_[i].Signal(SIGKILL);
    loads_.erase(loads_.begin() + static_cast<std::ptrdiff_t>(i));
    ++course_.load_runs;
    if (requests_of_run_ > 0) {
      course_.requests += static_cast<double>(requests_of_run_);
      course_.requests_s += took / static_cast<double>(request_.parallel);
      requests_of_run_ = 0;
    }
    ++again;
  }
  for (; restarts_ && again > 0 && !WentWrong(); --again) StartLoad();
}

void SoakRun::StopLoads() {
  restarts_ = false;
  const bool was_stopping = std::exchange(stopping_, true);
  const auto none = [this] {
    return std::all_of(loads_.begin(), loads_.end(),
                       [](const SoakChild& load) { return load.ended(); });
  };
  loading_ = false;
  for (const auto& [number, patience] :
       {std::pair{SIGINT, kLoadInterrupt}, {SIGTERM, kLoadTerminate}, {SIGKILL, 5.0}}) {
    if (none()) break;
    for (const SoakChild& load : loads_) load.Signal(number);
    if (interrupts_ < 2) PollUntil(now_s() + patience, none);
  }
  for (SoakChild& load : loads_) {
    load.Read();
    load.Signal(SIGKILL);  // whoever is left of its group
    if (requests_of_run_ > 0 && load.ended()) {
      course_.requests += static_cast<double>(requests_of_run_);
      course_.requests_s += (now_s() - load.started_s) / static_cast<double>(request_.parallel);
      requests_of_run_ = 0;
    }
  }
  loads_.clear();
  stopping_ = was_stopping;
}

void SoakRun::LoadFor() {
  const double began = now_s();
  const double end = began + request_.duration_s;
  course_.from_s = began + request_.warm_up_s;
  phase_end_s_ = end;
  loading_ = true;
  phase_ = "warm-up";
  for (uint64_t i = 0; i < request_.parallel && StartLoad(); ++i) {
  }
  PollUntil(course_.from_s, nullptr);
  if (!WentWrong()) {
    AskReports(0, kReportPatience);
    course_.from_s = now_s();
  }
  const double cpu = ServiceCpu();
  phase_ = "judging";
  PollUntil(end, nullptr);
  course_.service_cpu_s = ServiceCpu() - cpu;
  course_.to_s = now_s();
  course_.loaded_s = course_.to_s - began;
  // The state under load, where SERVICE lives to tell it.
  if (course_.end != SoakEnd::kServiceDied)
    AskReports(SIGTERM, course_.end == SoakEnd::kGood ? kReportPatience : 3);
  course_.to_s = now_s();
  StopLoads();
}

// One iteration: as many LOADs as are to run at once.  `which` of them, in words.
bool SoakRun::RunLoads(const std::string& which) {
  loading_ = true;
  for (uint64_t n = 0; n < request_.parallel && StartLoad(); ++n) {
  }
  PollUntil(now_s() + request_.load_limit_s, [this] { return loads_.empty(); });
  loading_ = false;
  if (WentWrong()) return false;
  if (!loads_.empty()) {
    Fail(SoakEnd::kLoadHangs,
         fmt::format("LOAD had not ended after {} (--load-limit), {}",
                     FormatDuration(request_.load_limit_s), which),
         load_log_.LastLines());
  }
  return !WentWrong();
}

// What SERVICE puts away after the last answer counts as put away.
void SoakRun::AwaitQuiet() {
  double objects = -1;
  for (int look = 0; look < kQuietLooks && !WentWrong(); ++look) {
    PollUntil(now_s() + kQuietPause, nullptr);
    AskReports(0, kReportPatience);
    double now = 0;
    for (const SoakProcess& process : reports_.processes())
      now += process.newest.totals.live_objects;
    if (now == objects) break;
    objects = now;
  }
}

void SoakRun::Iterate() {
  const uint64_t all = request_.cut_iterations + request_.iterations;
  const double began = now_s();
  restarts_ = false;
  phase_ = "iterations";
  for (uint64_t i = 0; i < all && !WentWrong(); ++i) {
    phase_end_s_ = i == 0 ? -1
                          : now_s() + (now_s() - began) / static_cast<double>(i) *
                                          static_cast<double>(all - i);
    if (RunLoads(fmt::format("in iteration {} of {}", i + 1, all))) AwaitQuiet();
    if (WentWrong()) break;
    if (i + 1 == request_.cut_iterations) course_.from_s = now_s();
    if (i + 1 >= request_.cut_iterations) course_.marks.push_back(now_s());
  }
  course_.to_s = now_s();
  if (wants_more) RunMore();
  course_.loaded_s = now_s() - began;
  StopLoads();
}

bool SoakRun::WantsMore() {
  course_.alive = ServiceProcesses();
  const bool wanted = wants_more(course_);
  // What happened while it looked was let pass.
  if (interrupts_ > 0) FailInterrupted();
  if (roots_.empty()) FailServiceEnded();
  return wanted && !WentWrong();
}

void SoakRun::RunMore() {
  const double until = now_s() + kMostMore;
  uint64_t runs = 0;
  while (!WentWrong() && runs < request_.confirm_runs && now_s() < until && WantsMore()) {
    phase_ = "filling up, or a leak?";
    phase_end_s_ = until;
    const uint64_t stop = std::min(runs + kMoreAtOnce, request_.confirm_runs);
    while (runs < stop && now_s() < until && RunLoads("in a run after the iterations")) ++runs;
    if (WentWrong()) break;
    AwaitQuiet();
    course_.more.push_back({now_s(), runs});
  }
}

}  // namespace heapgauge::cli
