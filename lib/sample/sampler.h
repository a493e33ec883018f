// Which allocations are sampled?  A Poisson process over bytes, one per thread.
//
// Every byte the thread asks for is a sample point with probability 1/T, independently of all
// others, T the sample interval.  The gap between two points is exponential with mean T, so one
// draw a sample is all it costs: `left_bytes_` counts down to the next point and a block is sampled
// when it swallows it.  A block of s bytes is sampled with probability p = 1 - exp(-s/T) and stands
// for 1/p blocks of its kind:
//     s = 64 B, T = 512 KiB: p = 0.000122, weight 8192.5      s = 2 MiB: p = 0.982, weight 1.02
// The process has no memory.  That is what lets a thread start anywhere, redraw after a change of
// T, and pass its own allocations through without bias.  docs/sampling.md has the mathematics.
//
// Threads: a Sampler belongs to one thread.  constexpr and all zero, so it is valid before any
// constructor has run.
#ifndef HEAPGAUGE_SAMPLE_SAMPLER_H_
#define HEAPGAUGE_SAMPLE_SAMPLER_H_

#include <cstddef>
#include <cstdint>

#include "base/macros.h"

namespace heapgauge {

class Sampler final {
 public:
  static constexpr uint64_t kExact = 1;  // T = 1 means every allocation, not one byte in e
  static constexpr uint64_t kMaxInterval = uint64_t{1} << 40;

  constexpr Sampler() noexcept = default;

  // Hot.  True when this request swallows the next sample point (or the thread has none yet: a new
  // thread starts at zero, so that it goes slow once to seed).  Unsigned on purpose: a signed
  // countdown would read malloc(SIZE_MAX) as a refund.
  HG_ALWAYS_INLINE bool Crosses(size_t bytes) noexcept {
#if defined(__x86_64__)
    // One read-modify-write whose flags are the answer; gcc 12 and clang 14 make six instructions
    // of the C++ below.
    bool crosses;
    __asm__("subq %[bytes], %[left]"
            : [left] "+m"(left_bytes_), "=@ccbe"(crosses)
            : [bytes] "r"(bytes)
            : "cc");
    return HG_UNLIKELY(crosses);
#else
    const size_t before = left_bytes_;
    left_bytes_ = before - bytes;
    return HG_UNLIKELY(bytes >= before);
#endif
  }

  // Cold, after Crosses() said true for `bytes`.  Returns the interval whose process sampled the
  // request, or 0 if it was not sampled (the thread's first request may fall into its first gap).
  // `interval_now` is the interval in force; the next gap is drawn from it.
  HG_COLD uint64_t TakeSample(size_t bytes, uint64_t interval_now) noexcept;

  // Cold, after Crosses() said true for `bytes`, which was only a bound: where the point lies that
  // was crossed.  Of what the caller charges in the end, a part of at least `at` bytes holds it, and
  // is sampled by the process of that interval; a smaller one is not.  Either way the thread has a
  // new gap: what lies behind the point is not known, and was not looked at.
  struct Point {
    size_t at;
    uint64_t interval;
  };
  HG_COLD Point TakePoint(size_t bytes, uint64_t interval_now) noexcept;

  // Cold.  Passes everything through from now on: no request of a real program crosses.
  void Exempt() noexcept { left_bytes_ = SIZE_MAX / 2; }

  // The interval that the thread's next request is charged at, `interval_now` being in force.
  uint64_t ChargedAt(uint64_t interval_now) const noexcept {
    return left_bytes_ == 0 || interval_bytes_ == 0 ? interval_now : interval_bytes_;
  }

  // In [0, 1), from the thread's own generator: for decisions about samples other than taking them.
  double Uniform() noexcept { return static_cast<double>(NextRandom() >> 11) * 0x1p-53; }

  // In a fork's child: its siblings have the same countdown and the same generator, and would all
  // take the same samples.
  void Reseed() noexcept { left_bytes_ = random_ = 0; }

  // Makes the next request go slow and draw from the interval then in force.
  void Restart() noexcept { left_bytes_ = 0; }

 private:
  uint64_t NextRandom() noexcept;
  size_t DrawGap() noexcept;

  size_t left_bytes_ = 0;        // to the next sample point; 0 = no gap drawn
  uint64_t interval_bytes_ = 0;  // the one `left_bytes_` was drawn with: the weight needs it
  uint64_t random_ = 0;          // 0 = not seeded
};

// -ln(u) for u = (bits + 1) / 2^53, bits < 2^53: a standard exponential variable, relative error
// below 5e-16. Our own because the library that holds the hooks needs libc alone, and logarithms
// live in libm.
double NegativeLog(uint64_t bits) noexcept;

}  // namespace heapgauge

#endif  // HEAPGAUGE_SAMPLE_SAMPLER_H_
