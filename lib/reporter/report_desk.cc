#include "reporter/report_desk.h"

#include <time.h>

#include <algorithm>

namespace heapgauge {
namespace {

constexpr uint64_t kIsFinal = 1;
constexpr uint64_t kInterrupted = 2;
constexpr unsigned kPatienceShift = 2;
constexpr unsigned kPatienceBits = 22;
constexpr unsigned kAskedShift = kPatienceShift + kPatienceBits;  // leaves 2^40 questions
constexpr uint64_t kOpen = uint64_t{ReportDesk::kEndlessMs} << kPatienceShift;
static_assert(ReportDesk::kEndlessMs == (uint64_t{1} << kPatienceBits) - 1);

constexpr uint64_t kOver = 1;
constexpr uint64_t kGood = 2;
constexpr unsigned kAnsweredShift = 2;

constexpr uint64_t AskedIn(uint64_t questions) { return questions >> kAskedShift; }
constexpr uint32_t PatienceIn(uint64_t questions) {
  return static_cast<uint32_t>(questions >> kPatienceShift) & ReportDesk::kEndlessMs;
}

}  // namespace

ReportDesk::ReportDesk() noexcept : questions_(kOpen) { sem_init(&wake_, 0, 0); }

uint64_t ReportDesk::Ask(const Question& question) noexcept {
  // relaxed, here and on failure: nothing is read for it, and the exchange finds what has changed.
  uint64_t before = questions_.load(std::memory_order_relaxed);
  uint64_t after;
  do {
    const uint32_t patience = std::min({PatienceIn(before), question.patience_ms, kEndlessMs - 1});
    after = (AskedIn(before) + 1) << kAskedShift | uint64_t{patience} << kPatienceShift |
            (before & (kIsFinal | kInterrupted)) | (question.is_final ? kIsFinal : 0) |
            (question.interrupted ? kInterrupted : 0);
    // release: what the asker did before is there when the report begins; pairs with Take().
  } while (!questions_.compare_exchange_weak(before, after, std::memory_order_release,
                                             std::memory_order_relaxed));
  if (!question.quietly) sem_post(&wake_);
  return AskedIn(after);
}

ReportDesk::Reply ReportDesk::ReplyTo(uint64_t ticket) const noexcept {
  // acquire: pairs with Answer(): the files are written.
  const uint64_t answers = answers_.load(std::memory_order_acquire);
  if (answers >> kAnsweredShift >= ticket) {
    return (answers & kGood) != 0 ? Reply::kGood : Reply::kFailed;
  }
  return (answers & kOver) != 0 ? Reply::kOver : Reply::kNone;
}

bool ReportDesk::IsOver() const noexcept {
  return (answers_.load(std::memory_order_acquire) & kOver) != 0;  // acquire: as in ReplyTo()
}

void ReportDesk::Close() noexcept {
  uint64_t before = answers_.load(std::memory_order_relaxed);  // relaxed, both: as in Ask()
  // release: what was done instead of the final report is seen by whoever finds it over.
  while (!answers_.compare_exchange_weak(before, before | kOver, std::memory_order_release,
                                         std::memory_order_relaxed)) {
  }
}

void ReportDesk::Wake() noexcept { sem_post(&wake_); }

bool ReportDesk::IsAsked() const noexcept {
  // relaxed, both: Take() reads it again, and the report thread alone writes the second number; of
  // a thread before this one it was told through the thread's status.
  return AskedIn(questions_.load(std::memory_order_relaxed)) !=
         answers_.load(std::memory_order_relaxed) >> kAnsweredShift;
}

bool ReportDesk::WaitUntil(uint64_t deadline_ns) noexcept {
  const timespec until{static_cast<time_t>(deadline_ns / 1'000'000'000),
                       static_cast<long>(deadline_ns % 1'000'000'000)};
  return sem_clockwait(&wake_, CLOCK_MONOTONIC, &until) == 0;
}

void ReportDesk::WaitForGood() noexcept {
  for (;;) sem_wait(&wake_);
}

ReportDesk::Work ReportDesk::Take() noexcept {
  uint64_t before = questions_.load(std::memory_order_relaxed);  // relaxed, both: as in Ask()
  // acquire: pairs with Ask().  Questions from here on have a patience of their own.
  while (!questions_.compare_exchange_weak(before, before | kOpen, std::memory_order_acquire,
                                           std::memory_order_relaxed)) {
  }
  return {AskedIn(before), PatienceIn(before), (before & kIsFinal) != 0,
          (before & kInterrupted) != 0};
}

void ReportDesk::Answer(const Work& work, bool good) noexcept {
  uint64_t before = answers_.load(std::memory_order_relaxed);  // relaxed, both: as in Ask()
  uint64_t after;
  do {
    after = work.ticket << kAnsweredShift | (good ? kGood : 0) | (before & kOver) |
            (work.is_final ? kOver : 0);
    // release: the files are written; pairs with ReplyTo().
  } while (!answers_.compare_exchange_weak(before, after, std::memory_order_release,
                                           std::memory_order_relaxed));
}

}  // namespace heapgauge
