#include "reporter/limit_watch.h"

#include <catch2/catch.hpp>

namespace heapgauge {
namespace {

constexpr uint64_t kSecond = 1'000'000'000;
constexpr uint64_t kHour = 3600 * kSecond;

MemoryLimit At(double share, const char* source = "cgroup") {
  return {1'000'000, static_cast<uint64_t>(share * 1'000'000), source};
}

TEST_CASE("a report is due when usage passes the mark, once", "[reporter][limit]") {
  LimitWatch watch;
  CHECK_FALSE(watch.Passed(At(0.5), kSecond));
  CHECK_FALSE(watch.Passed(At(0.899), 2 * kSecond));
  CHECK(watch.Passed(At(0.901), 3 * kSecond));
  CHECK_FALSE(watch.Passed(At(0.95), 4 * kSecond));
  CHECK_FALSE(watch.Passed(At(0.89), 5 * kSecond));
  CHECK_FALSE(watch.Passed(At(0.92), 10 * kHour));  // it never left
}

TEST_CASE("reports near the limit are two hours apart and three a day at most",
          "[reporter][limit]") {
  LimitWatch watch;
  int reports = 0;
  uint64_t last = 0;
  // Up and down, every ten minutes, for two days.
  for (uint64_t now = kSecond; now < 48 * kHour; now += 600 * kSecond) {
    CHECK_FALSE(watch.Passed(At(0.5), now));
    if (!watch.Passed(At(0.93), now + kSecond)) continue;
    if (reports++ > 0) CHECK(now + kSecond - last >= 2 * kHour);
    last = now + kSecond;
    if (now < 24 * kHour) CHECK(reports <= 3);
  }
  CHECK(reports == 6);
}

TEST_CASE("a process that is near its own limit at the first look has passed the mark",
          "[reporter][limit]") {
  CHECK(LimitWatch().Passed(At(0.97), kSecond));
  CHECK(LimitWatch().Passed(At(0.97, "rlimit"), kSecond));
  // A machine that was full before the process began is no news of the process.
  LimitWatch watch;
  CHECK_FALSE(watch.Passed(At(0.97, "memory"), kSecond));
  CHECK_FALSE(watch.Passed(At(0.8, "memory"), 2 * kSecond));
  CHECK(watch.Passed(At(0.97, "memory"), 3 * kSecond));
}

TEST_CASE("near the mark the watch looks often", "[reporter][limit]") {
  LimitWatch watch;
  watch.Passed(At(0.3), kSecond);
  CHECK(watch.pause_ns() == LimitWatch::kPauseFarNs);
  watch.Passed(At(0.8), 2 * kSecond);
  CHECK(watch.pause_ns() == LimitWatch::kPauseNearNs);
  watch.Passed(At(0.95), 3 * kSecond);
  CHECK(watch.pause_ns() == LimitWatch::kPauseFarNs);
  watch.Passed({0, 0, "rlimit"}, 4 * kSecond);  // a limit of nothing divides nothing
}

}  // namespace
}  // namespace heapgauge
