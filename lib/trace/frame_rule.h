// How to step out of a function: what the unwind tables say about one return address, in one word.
//
// Found by reading .eh_frame of the module that holds the address.  The module is found by
// _dl_find_object, which takes no lock (glibc 2.35), so a rule may be looked up wherever malloc may
// be called: inside dlopen, beside a fork, in a signal handler.  dl_iterate_phdr, which others ask,
// waits for the loader.
#ifndef HEAPGAUGE_TRACE_FRAME_RULE_H_
#define HEAPGAUGE_TRACE_FRAME_RULE_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/macros.h"
#include "base/readable.h"

namespace heapgauge {

// CFA = base register + cfa_offset().  The return address lies just below the CFA (x86-64: always).
// The caller's frame pointer lies at CFA + frame_offset(), or is in its register still when that is
// 0.
//
//   63            32 31        16 15    4   3       2..1   0
//   | cfa offset    | frame off. | unused | guess | kind | base |
class FrameRule final {
 public:
  enum Kind : uint8_t {
    kUnusable,  // needs more than the two registers, a signal frame, damaged tables
    kStep,
    kEnd  // the outermost function: no caller
  };

  constexpr FrameRule() noexcept = default;
  constexpr explicit FrameRule(uint64_t word) noexcept : word_(word) {}
  static constexpr FrameRule Step(bool from_frame_pointer, int32_t cfa_offset,
                                  int16_t frame_offset) noexcept {
    return FrameRule(static_cast<uint64_t>(static_cast<uint32_t>(cfa_offset)) << 32 |
                     static_cast<uint64_t>(static_cast<uint16_t>(frame_offset)) << 16 |
                     static_cast<uint64_t>(kStep) << 1 | (from_frame_pointer ? 1 : 0));
  }
  // By the frame pointer, where no table says that there is one.
  static constexpr FrameRule Guess() noexcept {
    return FrameRule(Step(true, 2 * sizeof(uintptr_t), -2 * int16_t{sizeof(uintptr_t)}).word_ |
                     kGuess);
  }
  static constexpr FrameRule End() noexcept { return FrameRule(static_cast<uint64_t>(kEnd) << 1); }

  constexpr uint64_t word() const noexcept { return word_; }
  constexpr Kind kind() const noexcept { return static_cast<Kind>((word_ >> 1) & 3); }
  constexpr bool is_guess() const noexcept { return (word_ & kGuess) != 0; }
  constexpr bool from_frame_pointer() const noexcept { return (word_ & 1) != 0; }
  constexpr int64_t cfa_offset() const noexcept { return static_cast<int64_t>(word_) >> 32; }
  constexpr int64_t frame_offset() const noexcept { return static_cast<int16_t>(word_ >> 16); }

 private:
  static constexpr uint64_t kGuess = 8;

  uint64_t word_ = 0;
};

// The rule at a return address.  An address outside every module (generated code) is taken to keep
// a frame pointer, as compilers at run time do.  Takes no lock, allocates nothing.
// `asked`: see TableMemory.
FrameRule FindFrameRule(uintptr_t return_address, ReadablePages* asked = nullptr) noexcept;

// A cache of rules that all threads share: lossy (two addresses that meet in an entry push each
// other out), lock-free.
//
// An entry is two words, written one after the other by any thread.  The first is the address xor
// the second and the time of the cache, so an entry of which a reader sees one old and one new word,
// or that is of another time, matches no address it looks for.  A clearing is another time: no page
// is touched for it.
//
// The entries lie on 64 pages, and each that a fork's child writes to is copied for it.  So what a
// child finds goes, until it is known to stay, into a few entries on a page of their own, which is
// new to it: no copy.
class FrameRuleCache final {
 public:
  HG_ALWAYS_INLINE FrameRule Get(uintptr_t return_address,
                                 ReadablePages* asked = nullptr) noexcept {
    Entry& entry = entries_[Mixed(return_address) >> (64 - kEntryBits)];
    uint64_t rule;
    // relaxed: a walk in progress may use a rule that it has read already.
    const uint64_t key = return_address ^ time_.load(std::memory_order_relaxed);
    if (HG_LIKELY(entry.Holds(key, &rule))) return FrameRule(rule);
    return Fill(entry, return_address, key, asked);
  }

  // In a fork's child, until it stays.
  void SetYoung(bool young) noexcept {
    young_.store(young, std::memory_order_relaxed);  // relaxed: either place will do
  }

  // After modules were unloaded.
  void Clear() noexcept;

 private:
  struct Entry {
    std::atomic<uint64_t> mixed;
    std::atomic<uint64_t> rule;

    HG_ALWAYS_INLINE bool Holds(uint64_t key, uint64_t* found) const noexcept {
      // relaxed: the two words check each other.
      *found = rule.load(std::memory_order_relaxed);
      return (mixed.load(std::memory_order_relaxed) ^ *found) == key;
    }
  };
  static constexpr int kEntryBits = 14;  // 256 KiB, touched where used

  static constexpr int kYoungBits = 7;  // 2 KiB
  static constexpr size_t kPage = 4096;

  static HG_ALWAYS_INLINE uint64_t Mixed(uintptr_t address) noexcept {
    return address * 0x9E3779B97F4A7C15U;
  }
  // Above all addresses that code has.
  static constexpr int kTimeShift = 48;

  HG_COLD FrameRule Fill(Entry& entry, uintptr_t return_address, uint64_t key,
                         ReadablePages* asked) noexcept;

  alignas(kPage) std::array<Entry, size_t{1} << kEntryBits> entries_{};
  alignas(kPage) std::atomic<uint64_t> time_{
      0};  // since start, 2^16 of them, then all begins again
  std::atomic<bool> young_{false};
  std::array<Entry, size_t{1} << kYoungBits> young_entries_{};
};

extern FrameRuleCache g_frame_rules;

}  // namespace heapgauge

#endif  // HEAPGAUGE_TRACE_FRAME_RULE_H_
