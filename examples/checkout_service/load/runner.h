// Plays a plan against the service and says how it went.
#ifndef CHECKOUT_LOAD_RUNNER_H
#define CHECKOUT_LOAD_RUNNER_H

#include <absl/base/thread_annotations.h>
#include <absl/synchronization/mutex.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "latency.h"
#include "phases.h"

namespace checkout::load {

struct LoadOptions {
  int port = 0;
  std::vector<Phase> phases;
  double coupon_share = 0.1;
  int workers = 6;  // connections; the service must have more threads than this
  size_t product_count = 2000;
  uint64_t seed = 1;
  bool quiet = false;  // no line each second
};

struct LoadResult {
  uint64_t planned = 0;
  uint64_t sent = 0;
  uint64_t errors = 0;   // no answer, an unexpected one, or not sent in time
  uint64_t expired = 0;  // sessions that ran out under a customer: no error of the service
  double seconds = 0;
  LatencyHistogram latency;
};

// Open loop: a request is due at its moment in the plan whether or not the ones before it were
// answered, and its latency counts from that moment.  So a service that stalls is seen to stall, by
// every request that waited. Bound: the run ends kGraceSeconds after the plan; what was not sent by
// then is an error.
class Runner final {
 public:
  static constexpr double kGraceSeconds = 5;

  explicit Runner(const LoadOptions& options);

  // Nothing when the service answers, otherwise why there is no point in starting.
  std::string Check() const;

  LoadResult Run();

  // Ends the run early; safe in a signal handler.
  void Stop() { stop_.store(true, std::memory_order_relaxed); }

 private:
  using Clock = std::chrono::steady_clock;

  void Work(uint64_t seed);
  void Watch();
  void SwitchDefect(bool on);
  void PrintSecond(double now_s);
  double NowSeconds() const { return std::chrono::duration<double>(Clock::now() - begin_).count(); }
  bool SleepUntil(double due_s) const;  // false: stopped

  const LoadOptions options_;
  Pacer pacer_;
  Clock::time_point begin_;
  std::atomic<bool> stop_{false};
  static_assert(std::atomic<bool>::is_always_lock_free, "Stop is called from a signal handler");

  absl::Mutex mutex_;
  LoadResult result_ ABSL_GUARDED_BY(mutex_);
  LatencyHistogram second_ ABSL_GUARDED_BY(mutex_);
  uint64_t second_errors_ ABSL_GUARDED_BY(mutex_) = 0;
  double second_begin_s_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace checkout::load

#endif  // CHECKOUT_LOAD_RUNNER_H
