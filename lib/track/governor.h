// The overhead governor: widens the sample interval while sampling costs more than its budget, and
// narrows it again, never below what was asked for, when the load has gone.
//
// Arithmetic on readings: no clock, no thread.  Estimates stay unbiased through a change, because
// each sample keeps the interval that it was drawn with (docs/sampling.md, 5).  Exact mode is left
// alone: whoever asks for every allocation gets every allocation.
//
// Not thread-safe: the report thread's own.
#ifndef HEAPGAUGE_TRACK_GOVERNOR_H_
#define HEAPGAUGE_TRACK_GOVERNOR_H_

#include <cstdint>

namespace heapgauge {

class Governor final {
 public:
  struct Reading {
    uint64_t now_ns = 0;
    uint64_t cpu_ns = 0;          // that sampling has cost so far
    uint64_t interval_bytes = 0;  // in force
    uint64_t asked_bytes = 0;     // what was asked for, never gone below
  };

  // `budget`: share of one core, above 0.
  explicit Governor(double budget) noexcept : budget_(budget) {}

  // The interval that should be in force from now on.
  uint64_t Decide(const Reading& reading) noexcept;

 private:
  // What may be spent beyond the budget, once: a program that starts shows many stacks for the
  // first time, and each costs a hundred times what it costs later.  It grows again while less is
  // spent.
  static constexpr double kCreditNs = 20e6;
  // A shorter stretch says too little, and is prolonged by the next.
  static constexpr uint64_t kLeastStretchNs = 200'000'000;
  // After a change the share is brought to this part of the budget, so that it does not hover
  // there.
  static constexpr double kAim = 0.75;
  // So much of the budget or less, for so long, and the interval is narrowed, by half at most.
  static constexpr double kCalm = 0.35;
  static constexpr uint64_t kCalmNs = 10'000'000'000;
  static constexpr double kMostWidening = 64;

  double budget_;
  uint64_t set_bytes_ = 0;   // in force after the last decision
  uint64_t stretch_ns_ = 0;  // when the stretch under measurement began
  uint64_t stretch_cpu_ns_ = 0;
  double credit_ns_ = kCreditNs;
  uint64_t calm_since_ns_ = 0;  // 0: it is not calm
  uint64_t calm_cpu_ns_ = 0;
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_TRACK_GOVERNOR_H_
