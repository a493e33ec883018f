// What was made of a stack that is seen again: in exact mode nearly every allocation comes from a
// stack that was walked a moment ago.
//
// A walk by frame rules (table_unwinder.cc) reads only a few words of the stack: each frame's
// return address, and a saved frame pointer where a frame further out is found by it.  Who finds
// the same values in the same places would walk the same way, so the memo keeps places and values,
// and comparing them takes the place of the walk and of the search for the site.
//
// An entry belongs to an innermost frame (its place in memory and its return address), and where two
// stacks have met in one, also to the return addresses of the next frames: allocation functions have
// many callers at one depth.  Where those lie on the stack is what the last walk from such frames
// has left (`ways`), a hint alone: it chooses the entry, and the entry's own words decide.  Stacks
// that share all of that push each other out.  Any thread, in hooks: nothing waits.  An entry is read under a
// sequence number that is odd while it is written; whoever finds it odd, or changed, goes without.
#ifndef HEAPGAUGE_TRACE_STACK_MEMO_H_
#define HEAPGAUGE_TRACE_STACK_MEMO_H_

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/page_arena.h"
#include "core_api/core_api.h"

namespace heapgauge {

// What a walk from ThreadState::shim_frame did, step by step.  Places are in words above that
// frame.
class WalkSteps final {
 public:
  static constexpr size_t kMost = 64;

  struct Step {
    uint32_t return_address_at;
    uint32_t frame_pointer_at;  // 0: it was left in its register
    bool by_frame_pointer;      // the frame was found by it
  };

  void Begin() noexcept { size_ = 0; }
  void Add(const Step& step) noexcept {
    if (size_ < kMost) steps_[size_] = step;
    ++size_;
  }
  // Not all of the walk is known.
  void GiveUp() noexcept { size_ = kMost + 1; }
  bool complete() const noexcept { return size_ <= kMost; }
  size_t size() const noexcept { return size_; }
  const Step& operator[](size_t i) const noexcept { return steps_[i]; }

 private:
  size_t size_ = 0;
  Step steps_[kMost];
};

class StackMemo final {
 public:
  constexpr StackMemo() noexcept = default;
  StackMemo(const StackMemo&) = delete;
  StackMemo& operator=(const StackMemo&) = delete;

  // 410 KiB of the arena, touched where used.  Once; without memory there is no memo.
  void Initialize(PageArena& arena) noexcept;

  struct Answer {
    void* value = nullptr;  // what was kept for the present stack of self.shim_frame
    bool keep = false;      // it was not, and is worth keeping
  };
  Answer Find(const ThreadState& self) noexcept;
  // After a walk of the present stack.
  void Keep(const ThreadState& self, const WalkSteps& steps, void* value) noexcept;
  // After modules were unloaded: the same words may now mean other frames.
  void Clear() noexcept { generation_.fetch_add(1, std::memory_order_relaxed); }

 private:
  static constexpr unsigned kEntryBits = 9;
  static constexpr unsigned kWayBits = 11;
  static constexpr size_t kLevels = 3;  // of callers that choose the entry
  static constexpr size_t kWords = 64;
  // A place where so many different stacks have followed each other (a recursion) is seldom worth
  // its entry: keeping a stack costs as much as walking it.
  static constexpr uint32_t kFewMisses = 4;
  static constexpr uint32_t kSeldom = 32;

  struct Entry {
    std::atomic<uint32_t> sequence;  // odd: being written
    std::atomic<uint32_t> generation;
    std::atomic<uint32_t> words;
    std::atomic<uint32_t> misses;  // since the last hit
    std::atomic<uintptr_t> frame;  // ThreadState::shim_frame
    std::atomic<void*> value;
    std::atomic<uint32_t> at[kWords];  // in words above `frame`
    std::atomic<uintptr_t> is[kWords];
  };

  struct Tables {
    Entry entries[size_t{1} << kEntryBits];
    // By what is known of a stack so far: where its next return address lies, in words above the
    // innermost frame; 0: not known.
    std::atomic<uint32_t> ways[size_t{1} << kWayBits];
  };

  static uint64_t FirstKey(const uintptr_t* frame) noexcept;
  Entry& EntryOf(Tables& tables, const ThreadState& self) const noexcept;
  Entry& EntryAlong(Tables& tables, const ThreadState& self, const WalkSteps& steps) noexcept;
  void* Compare(const Entry& entry, const ThreadState& self) const noexcept;

  std::atomic<Tables*> tables_{nullptr};
  std::atomic<uint32_t> generation_{1};
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_TRACE_STACK_MEMO_H_
