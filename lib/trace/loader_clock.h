// How often modules were loaded, read in a nanosecond: while it stays the same, an address means
// what it meant before.
//
// The loader counts its loads, but tells them through dl_iterate_phdr() alone, which takes a lock
// that a sample must not wait for.  So the count itself is looked for where the loader keeps it,
// in _rtld_global: the words that hold the told number while nobody can change it.  Mostly there
// are two, the count and the number of modules at present, and either may be watched: one that is
// no count only makes us look once more.  Words that are found to differ later are dropped.
//
// Where none is found (a C library with another loader) the clock goes on when somebody asks the
// loader: after dlopen() and before a report.
#ifndef HEAPGAUGE_TRACE_LOADER_CLOCK_H_
#define HEAPGAUGE_TRACE_LOADER_CLOCK_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/atomic.h"
#include "base/macros.h"

namespace heapgauge {

class LoaderClock final {
 public:
  constexpr LoaderClock() noexcept = default;
  LoaderClock(const LoaderClock&) = delete;
  LoaderClock& operator=(const LoaderClock&) = delete;

  // Once, before the clock is used.  Takes the loader's lock.
  void Initialize() noexcept;

  // Another value than before when something was loaded since; never 0.  Any thread.
  // relaxed: whoever runs a module's code has its load behind it, the loader's locks saw to that.
  HG_ALWAYS_INLINE uint64_t Now() const noexcept {
    uint64_t now = told_.load(std::memory_order_relaxed);
    for (const Atomic<const uint64_t*>& word : words_) {
      const uint64_t* const at = word.load(std::memory_order_relaxed);
      if (at == nullptr) break;
      now = now * kMixer + __atomic_load_n(at, __ATOMIC_RELAXED);
    }
    return now;
  }

  // What the loader says, within dl_iterate_phdr(): drops words that are no counts.
  void Told(uint64_t loads) noexcept;

  bool watches() const noexcept {
    return words_[0].load(std::memory_order_relaxed) != nullptr;  // relaxed: a figure
  }

 private:
  static constexpr size_t kMostWords = 4;  // more can't all be what we look for
  static constexpr uint64_t kMixer = 0x9E3779B97F4A7C15U;

  // Of words that were dropped, the value stays: the clock goes on.
  Atomic<uint64_t> told_{1};
  std::array<Atomic<const uint64_t*>, kMostWords> words_{};
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_TRACE_LOADER_CLOCK_H_
