// The seccomp filters that came to this process since its start, and what they end in each thread.
//
// A filter is one thread's, and of threads that this one starts, unless it was asked for all. So
// each thread has a word of its own (ThreadState::ended), and there is one for all.  A thread that
// has not been seen before may have inherited the filters of any other: it asks the kernel where no
// filter kills for the question, and takes the worst for granted elsewhere.
//
// F1  The words are written before the filter comes, and hold for good.  Who reads a word without a
//     bit before the filter came has begun with that work before it.
// F2  Nothing in the kernel's answer to one filter is changed by another: the most severe one wins,
//     so the words of several are their union.
#ifndef HEAPGAUGE_TRACK_FILTERS_H_
#define HEAPGAUGE_TRACK_FILTERS_H_

#include <atomic>
#include <cstdint>

#include "base/macros.h"
#include "core_api/core_api.h"
#include "core_api/ended.h"
#include "track/call_rights.h"

namespace heapgauge {

class Filters final {
 public:
  static Filters& Get() noexcept { return instance_; }

  constexpr Filters() noexcept = default;
  Filters(const Filters&) = delete;
  Filters& operator=(const Filters&) = delete;

  // What is ended in the calling thread, whose state `self` is.  Inside hooks: two loads.
  HG_ALWAYS_INLINE uint16_t EndedIn(ThreadState& self) noexcept {
    // relaxed, both: F1; a thread knows its own, and for all it was waited until each can know.
    const uint16_t all = for_hosts_.load(std::memory_order_relaxed);
    if (HG_UNLIKELY((self.ended & kFiltersKnown) == 0)) Learn(self);
    return static_cast<uint16_t>(self.ended | all);
  }
  uint16_t EndedForAll() const noexcept {
    // seq_cst: pairs with Add(); reporter.h says with what.
    return for_all_.load(std::memory_order_seq_cst);
  }
  // Any, in any thread.
  bool HaveCome() const noexcept {
    return count_.load(std::memory_order_relaxed) != 0;  // relaxed: a figure
  }

  // What the program of `request` would do; no effect where the kernel would not take its address.
  // False then.
  static bool Judge(const FilterRequest& request, FilterEffect* effect) noexcept;

  // Before the time stamp counter is taken away, from a thread and those that it starts: from here
  // on none of the host's is asked to read it.
  void ForbidCounter() noexcept;
  bool IsCounterForbidden() const noexcept {
    return counter_forbidden_.load(std::memory_order_relaxed);  // relaxed: F1
  }

  // Before the filter comes; and when it did not come after all.
  void Add(ThreadState& self, const FilterRequest& request, const FilterEffect& effect,
           FilterTicket* ticket) noexcept;
  void Undo(ThreadState& self, const FilterTicket& ticket) noexcept;

  // Somebody has seen one around the program's first thread that did not pass us; the caller is not
  // behind it.  Nothing is known of it: from here on no thread of the host makes a call for us.
  void FoundUnknown() noexcept;

 private:
  HG_COLD void Learn(ThreadState& self) noexcept;

  static Filters instance_;

  std::atomic<uint16_t> for_all_{0};
  std::atomic<uint16_t> unknown_{0};
  std::atomic<uint16_t> for_hosts_{0};   // both
  std::atomic<uint16_t> inherited_{0};   // of filters that new threads may have got, all together
  std::atomic<uint16_t> of_process_{0};  // what is settled without asking which thread it is
  std::atomic<bool> counter_forbidden_{false};
  std::atomic<uint32_t> count_{0};
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_TRACK_FILTERS_H_
