#include "track/governor.h"

#include <catch2/catch.hpp>
#include <cstdint>

#include "sample/sampler.h"

namespace heapgauge {
namespace {

constexpr uint64_t kSecond = 1'000'000'000;
constexpr uint64_t kAsked = 512 * 1024;

// A process whose sampling costs `bytes_a_second / interval` samples of `sample_ns` each.
struct Process {
  Governor governor;
  double sample_ns = 500;
  uint64_t asked = kAsked;
  uint64_t interval = kAsked;
  int changes = 0;
  uint64_t now_ns = 5 * kSecond;
  double cpu_ns = 0;

  explicit Process(double budget) : governor(budget) { Look(); }

  void Look() {
    const uint64_t cpu = static_cast<uint64_t>(cpu_ns);
    const uint64_t before = interval;
    interval = governor.Decide(
        {.now_ns = now_ns, .cpu_ns = cpu, .interval_bytes = interval, .asked_bytes = asked});
    if (interval != before) ++changes;
  }
  void Run(double seconds, double bytes_a_second) {
    for (double at = 0; at < seconds; at += 1) {
      now_ns += kSecond;
      cpu_ns += bytes_a_second / static_cast<double>(interval) * sample_ns;
      Look();
    }
  }
  double Share(double bytes_a_second) const {
    return bytes_a_second / static_cast<double>(interval) * sample_ns * 1e-9;
  }
};

TEST_CASE("within its budget the governor changes nothing", "[track]") {
  Process process(0.01);
  process.Run(1000, 10e9);  // 0.95 %
  CHECK(process.Share(10e9) < 0.01);
  CHECK(process.interval == kAsked);
  CHECK(process.changes == 0);
}

TEST_CASE("past its budget the interval widens at once, and enough", "[track]") {
  Process process(0.01);
  process.Run(2, 100e9);  // ten times the budget
  CHECK(process.Share(100e9) < 0.01);
  CHECK(process.Share(100e9) > 0.005);
  const uint64_t widened = process.interval;
  process.Run(1000, 100e9);
  CHECK(process.interval == widened);
  CHECK(process.changes == 1);
}

TEST_CASE("a start that finds every stack for the first time does not widen it", "[track]") {
  Process process(0.01);
  process.cpu_ns += 15e6;  // as much as a second and a half may cost
  process.Run(300, 8e9);
  CHECK(process.changes == 0);
}

TEST_CASE("a little past its budget for long is past its budget", "[track]") {
  Process process(0.01);
  process.Run(60, 12e9);  // 1.14 %
  CHECK(process.changes == 1);
  CHECK(process.Share(12e9) < 0.01);
}

TEST_CASE("far past its budget it takes a second step", "[track]") {
  Process process(0.0001);
  process.Run(1, 100e9);
  process.Run(1, 100e9);
  CHECK(process.Share(100e9) < 0.0001);
}

TEST_CASE("when the load has gone the interval comes back, slowly, to what was asked for",
          "[track]") {
  Process process(0.01);
  process.Run(2, 160e9);
  const uint64_t widened = process.interval;
  REQUIRE(widened > 16 * kAsked);
  process.Run(9, 1e9);
  CHECK(process.interval == widened);  // a lull is no calm
  process.Run(4, 1e9);
  CHECK(process.interval >= widened / 2);
  CHECK(process.interval < widened);
  process.Run(120, 1e9);
  CHECK(process.interval == kAsked);
  const int changes = process.changes;
  process.Run(120, 1e9);
  CHECK(process.changes == changes);
}

TEST_CASE("traffic in waves does not make the interval swing with each of them", "[track]") {
  Process process(0.01);
  for (int wave = 0; wave < 200; ++wave) {
    process.Run(5, 60e9);
    process.Run(5, 1e9);
  }
  CHECK(process.changes == 1);
}

TEST_CASE("an interval asked for at run time is the new least", "[track]") {
  Process process(0.01);
  process.Run(2, 100e9);
  process.asked = process.interval = 64 * kAsked;
  process.Run(100, 1e6);
  CHECK(process.interval == 64 * kAsked);
}

TEST_CASE("every allocation is every allocation, whatever it costs", "[track]") {
  Process process(0.01);
  process.asked = process.interval = Sampler::kExact;
  process.Run(100, 1e6);
  CHECK(process.interval == Sampler::kExact);
  CHECK(process.changes == 0);
}

TEST_CASE("the interval has an upper end", "[track]") {
  Process process(1e-9);
  process.sample_ns = 1e9;
  process.Run(100, 1e12);
  CHECK(process.interval == Sampler::kMaxInterval);
}

TEST_CASE("readings that go back are a new beginning", "[track]") {
  Process process(0.01);
  process.Run(5, 1e9);
  process.cpu_ns = 0;
  process.Look();
  process.now_ns = 1;
  process.Look();
  process.Run(1, 1e9);
  CHECK(process.interval == kAsked);
}

TEST_CASE("a stretch too short to say anything is prolonged", "[track]") {
  Process process(0.01);
  for (int look = 0; look < 100; ++look) {
    process.now_ns += 1'000'000;
    process.cpu_ns += 5'000;  // half of the budget
    process.Look();
  }
  process.now_ns += 1;
  process.cpu_ns += 300'000;  // one unlucky sample
  process.Look();
  CHECK(process.interval == kAsked);
}

}  // namespace
}  // namespace heapgauge
