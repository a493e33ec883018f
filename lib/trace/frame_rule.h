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

// CFA = base register + cfa_offset().  The return address lies at CFA + return_offset(): just below
// the CFA on x86-64, on AArch64 where the function put it (return words of 8 bytes below).  The
// caller's frame pointer lies at CFA + frame_offset(), or is in its register still when that is 0.
//
//   63            32 31        16 15          4   3       2..1   0
//   | cfa offset    | frame off. | return words | guess | kind | base |
class FrameRule final {
 public:
  enum Kind : uint8_t {
    kUnusable,  // needs more than the two registers, a signal frame, damaged tables
    kStep,
    kEnd  // the outermost function: no caller
  };

  constexpr FrameRule() noexcept = default;
  constexpr explicit FrameRule(uint64_t word) noexcept : word_(word) {}
  static constexpr uint16_t kMostReturnWords = 0xFFF;
  static constexpr FrameRule Step(bool from_frame_pointer, int32_t cfa_offset, int16_t frame_offset,
                                  uint16_t return_words = 1) noexcept {
    return FrameRule(static_cast<uint64_t>(static_cast<uint32_t>(cfa_offset)) << 32 |
                     static_cast<uint64_t>(static_cast<uint16_t>(frame_offset)) << 16 |
                     static_cast<uint64_t>(return_words) << 4 | static_cast<uint64_t>(kStep) << 1 |
                     (from_frame_pointer ? 1 : 0));
  }
  // By the frame pointer, where no table says that there is one.  On AArch64 a frame record does not
  // tell the caller's stack pointer, which may be above it.
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
  constexpr int64_t return_offset() const noexcept {
#if defined(__x86_64__)
    return -int64_t{sizeof(uintptr_t)};
#else
    return -static_cast<int64_t>(word_ >> 4 & kMostReturnWords) * int64_t{sizeof(uintptr_t)};
#endif
  }
  // Whether a walk that checks the CFA reads nothing beyond it: true of every rule that was made
  // from tables here.
  constexpr bool is_sound() const noexcept {
    return frame_offset() <= 0 && frame_offset() % int64_t{sizeof(uintptr_t)} == 0 &&
           (kind() != kStep || return_offset() < 0);
  }

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
// A fork's child, until it is known to stay, is young: what it touches of the 64 pages of entries is
// copied or filled in for it, and to read the tables of thirty functions costs it more than all else
// that a sample does.  So it looks into pages that were written to before the fork alone, and what
// it finds goes into a few entries on pages of their own, which it shares with its parent and its
// brothers: the next child need not look for it.
//
// F1  Whoever uses a shared table at one time has the same modules in the same places: its clock
//     has not moved since a fork.
// F2  What is in it is foreign input, for a child may have given its rights up and be in somebody
//     else's hands.  A rule that is not sound is not taken, and walks check each step: the worst
//     that it can do is a wrong stack, in other young children alone.
class FrameRuleCache final {
 public:
  HG_ALWAYS_INLINE FrameRule Get(uintptr_t return_address,
                                 ReadablePages* asked = nullptr) noexcept {
    // relaxed: a walk in progress may use a rule that it has read already.
    const uint64_t key = return_address ^ time_.load(std::memory_order_relaxed);
    // relaxed: see GrowUp().
    if (HG_UNLIKELY(young_.load(std::memory_order_relaxed))) {
      return GetYoung(return_address, key, asked);
    }
    Entry& entry = entries_[At(return_address)];
    uint64_t rule;
    if (HG_LIKELY(entry.Holds(key, &rule))) return FrameRule(rule);
    return Fill(return_address, key, asked);
  }

  // Before a fork.  From a process's second one on its children share what they find.
  void BeforeFork() noexcept;

  // From here on it is young.
  void AfterForkInChild() noexcept;
  // It is known to stay.
  void GrowUp() noexcept {
    young_.store(false, std::memory_order_relaxed);  // relaxed: either place will do
  }

  // After modules were unloaded.
  void Clear() noexcept;

 private:
  friend class FrameRuleCachePeer;  // tests/unit/trace

  struct Entry {
    std::atomic<uint64_t> mixed;
    std::atomic<uint64_t> rule;

    HG_ALWAYS_INLINE bool Holds(uint64_t key, uint64_t* found) const noexcept {
      // relaxed: the two words check each other.
      *found = rule.load(std::memory_order_relaxed);
      return (mixed.load(std::memory_order_relaxed) ^ *found) == key;
    }
    void Keep(uint64_t key, FrameRule found) noexcept {
      rule.store(found.word(), std::memory_order_relaxed);  // relaxed: as above
      mixed.store(found.word() ^ key, std::memory_order_relaxed);
    }
  };
  static constexpr int kEntryBits = 14;  // 256 KiB, touched where used
  static constexpr size_t kPage = 4096;

  static constexpr int kSharedBits = 10;  // 16 KiB
  static constexpr int kOwnBits = 7;      // 2 KiB
  static constexpr uint32_t kSharedFromFork = 2;

  static HG_ALWAYS_INLINE uint64_t Mixed(uintptr_t address) noexcept {
    return address * 0x9E3779B97F4A7C15U;
  }
  static HG_ALWAYS_INLINE size_t At(uintptr_t address) noexcept {
    return Mixed(address) >> (64 - kEntryBits);
  }
  // Of the 65 pages that entries lie on, the first and the last share one.
  uint64_t PageBit(size_t at) const noexcept {
    return uint64_t{1} << (reinterpret_cast<uintptr_t>(&entries_[at]) / kPage % 64);
  }
  // Above all addresses that code has.
  static constexpr int kTimeShift = 48;

  HG_COLD FrameRule Fill(uintptr_t return_address, uint64_t key, ReadablePages* asked) noexcept;
  HG_COLD FrameRule GetYoung(uintptr_t return_address, uint64_t key, ReadablePages* asked) noexcept;

  // What a young one writes comes first, and shares its page with what lies before (child_pages.ld).
  std::atomic<uint64_t> time_{0};  // since start, 2^16 of them, then all begins again
  std::atomic<bool> young_{false};
  std::atomic<uint32_t> forks_{0};
  std::atomic<uint64_t> touched_{0};  // a bit for each page of `entries_`
  static_assert((sizeof(Entry) << kEntryBits) <= 64 * kPage);
  std::atomic<Entry*> shared_{nullptr};
  std::atomic<uint64_t> shared_at_{0};    // the time that children read and add to it
  std::atomic<bool> owns_shared_{false};  // made here, not inherited
  // Of a child that has nothing to share, or whose modules have changed.
  std::array<Entry, size_t{1} << kOwnBits> own_entries_{};
  std::array<Entry, size_t{1} << kEntryBits> entries_{};
};

extern FrameRuleCache g_frame_rules;

}  // namespace heapgauge

#endif  // HEAPGAUGE_TRACE_FRAME_RULE_H_
