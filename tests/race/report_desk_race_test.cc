// What an asker did before is there when the report begins, and what the report did when the asker
// has the reply: under ThreadSanitizer every order between them that is missing is a finding.
#include <array>
#include <atomic>
#include <catch2/catch.hpp>
#include <cstdint>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "reporter/report_desk.h"
#include "support/stress.h"

namespace heapgauge {
namespace {

using Reply = ReportDesk::Reply;

constexpr size_t kAskers = 4;
constexpr uint64_t kQuestions = 500 * test::kStress;
constexpr uint32_t kPatienceMs = 10'000;

// One asker, and plain words on purpose: the desk alone orders them.
TEST_CASE("one asker and the report thread take turns", "[race][reporter][D2]") {
  ReportDesk desk;
  uint64_t question = 0;
  uint64_t reply = 0;
  uint64_t wrong = 0;
  std::thread reporter([&] {
    while (!desk.IsOver()) {
      if (!desk.IsAsked()) {
        desk.WaitUntil(MonotonicNs() + 100'000'000);
        continue;
      }
      const ReportDesk::Work work = desk.Take();
      reply = question;
      desk.Answer(work, true);
    }
  });
  for (uint64_t n = 1; n <= kQuestions; ++n) {
    question = n;
    const uint64_t ticket = desk.Ask({.patience_ms = kPatienceMs, .is_final = n == kQuestions});
    while (desk.ReplyTo(ticket) == Reply::kNone) std::this_thread::yield();
    if (reply != n) ++wrong;
  }
  reporter.join();
  CHECK(wrong == 0);
}

struct Asker {
  uint64_t seen = 0;  // by the thread, in the report that answers it
  uint64_t lost = 0;
};

TEST_CASE("what askers and the report thread leave for each other arrives",
          "[race][reporter][D1][D2]") {
  ReportDesk desk;
  std::array<Asker, kAskers> askers;
  std::array<std::atomic<uint64_t>, kAskers> wanted{};  // the thread reads all at any time
  uint64_t reports = 0;
  std::thread reporter([&] {
    while (!desk.IsOver()) {
      if (!desk.IsAsked() && !desk.WaitUntil(MonotonicNs() + 100'000'000)) continue;
      const ReportDesk::Work work = desk.Take();
      for (size_t i = 0; i < kAskers; ++i) {
        askers[i].seen = wanted[i].load(std::memory_order_relaxed);
      }
      ++reports;
      desk.Answer(work, true);
    }
  });
  std::vector<std::thread> threads;
  for (size_t i = 0; i < kAskers; ++i) {
    threads.emplace_back([&, i] {
      Asker& self = askers[i];
      for (uint64_t n = 1; n <= kQuestions; ++n) {
        // relaxed: published by the question.
        wanted[i].store(n, std::memory_order_relaxed);
        const uint64_t ticket = desk.Ask({.patience_ms = kPatienceMs});
        Reply reply;
        while ((reply = desk.ReplyTo(ticket)) == Reply::kNone) std::this_thread::yield();
        if (reply != Reply::kGood) ++self.lost;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  // Of the last report, by its reply: it began after all questions.
  uint64_t missed = 0;
  for (const Asker& asker : askers) missed += asker.lost + (kQuestions - asker.seen);
  CHECK(missed == 0);
  const uint64_t last = desk.Ask({.patience_ms = kPatienceMs, .is_final = true});
  while (desk.ReplyTo(last) == Reply::kNone) std::this_thread::yield();
  CHECK(reports >= kQuestions);  // each asker has one question at a time
  reporter.join();
  CHECK(desk.IsOver());
}

}  // namespace
}  // namespace heapgauge
