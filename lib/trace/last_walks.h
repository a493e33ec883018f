// The last stack of each thread, as it was walked: the next one shares most of its frames.
//
// In exact mode a recursion makes every stack a new one, which the memo (stack_memo.h) cannot know,
// but it differs from the last in a frame or two.  A walk by frame rules goes outward until it is
// in a state (return address, stack pointer, frame pointer) that the last walk was in, too.  From
// there on it would do what that one did if the words which that one read are still the same, so
// they are compared, at a fifth of the price of walking; and the stack's hash follows from the last
// one's.
//
// A record belongs to one thread at a time and is never waited for: whoever finds it in use walks
// without.
//
// W1  Entry i + 1 is where the frame rules lead from entry i, as long as the words at its places
//     are what the entry says.
// W2  hash[i] is the polynomial of the addresses from the outermost entry, or from those that were
//     dropped beyond it, up to entry i.
#ifndef HEAPGAUGE_TRACE_LAST_WALKS_H_
#define HEAPGAUGE_TRACE_LAST_WALKS_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/macros.h"
#include "base/page_arena.h"
#include "core_api/core_api.h"

namespace heapgauge {

// One step of a walk: the registers in a frame.  Its return address lies just below its stack
// pointer.
struct WalkState {
  uintptr_t address = 0;
  uintptr_t stack_pointer = 0;
  uintptr_t frame_pointer = 0;
  uintptr_t saved_at = 0;  // where frame_pointer was read; 0: it was left in its register
};

class WalkRecord final {
 public:
  static constexpr size_t kMostFrames = 64;  // of a walk
  static constexpr size_t kEntries = 2 * kMostFrames;

  // A walk begins.
  void Begin() noexcept {
    fresh_ = 0;
    at_ = top_;
  }

  // The walk is in `state`.  If the last one was, too: copies the addresses of its frames, from
  // this one outward, as far as they are on the stack still, `wanted` at most, and returns their
  // number. 0: the walk goes on by itself.
  HG_ALWAYS_INLINE size_t Join(const WalkState& state, size_t wanted, uintptr_t stack_high,
                               uintptr_t* out) noexcept {
    while (at_ < kEntries && entries_[at_].stack_pointer < state.stack_pointer) ++at_;
    if (at_ < kEntries && entries_[at_].stack_pointer == state.stack_pointer &&
        entries_[at_].address == state.address &&
        entries_[at_].frame_pointer == state.frame_pointer) {
      const size_t joined = Compare(wanted, stack_high, out);
      if (joined != 0) return joined;
    }
    fresh_states_[fresh_++] = state;
    return 0;
  }
  // After Join() has copied frames: is there nothing left to be walked?
  bool whole() const noexcept { return whole_; }
  // If there is, the state from which the walk goes on: of the last frame that was copied.
  const WalkState& last() const noexcept { return fresh_states_[fresh_ - 1]; }

  // The walk is done; `ends`: the outermost frame has no caller.  Returns the stack's hash.
  uint64_t Finish(size_t depth, bool ends) noexcept;

 private:
  friend class LastWalks;

  size_t Compare(size_t wanted, uintptr_t stack_high, uintptr_t* out) noexcept;
  void DropOutermost() noexcept;
  void Clear() noexcept { top_ = kEntries; }

  std::atomic<bool> busy_;
  bool ends_;  // the outermost entry's frame has no caller
  uint32_t generation_;
  uintptr_t stack_high_;  // whose stack it was
  size_t top_;            // the innermost entry; the outermost is the last one
  size_t at_;             // entries before this lie further inside than the walk; kEntries: no join
  size_t fresh_;          // states of the present walk that are no entries yet
  bool whole_;            // the present walk has come to its end by Join()
  uint64_t dropped_;      // W2: the polynomial of what was dropped
  std::array<WalkState, kEntries> entries_;
  std::array<uint64_t, kEntries> hash_;
  std::array<WalkState, kEntries> fresh_states_;
};

class LastWalks final {
 public:
  constexpr LastWalks() noexcept = default;
  LastWalks(const LastWalks&) = delete;
  LastWalks& operator=(const LastWalks&) = delete;

  // 300 KiB of the arena, touched where used.  Once; where that is much or not to be had there are
  // no records.
  void Initialize(PageArena& arena) noexcept;

  // The thread's record; nullptr: there is none to be had.  To be given back.
  WalkRecord* Borrow(const ThreadState& self) noexcept;
  static void GiveBack(WalkRecord* record) noexcept;

  // After modules were unloaded: the same words may now mean other frames.
  void Clear() noexcept { generation_.fetch_add(1, std::memory_order_relaxed); }
  // In a fork's child: threads that were borrowing do not exist here.
  void AfterForkInChild() noexcept;

 private:
  static constexpr unsigned kRecordBits = 5;
  static constexpr size_t kMostOfLimit = 8;  // records take a part of the arena's limit at most

  std::atomic<WalkRecord*> records_{nullptr};
  std::atomic<uint32_t> generation_{1};
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_TRACE_LAST_WALKS_H_
