// The tracker: what happens to a sampled block between its birth and its death.
//
// One for the process, never destroyed: threads outlive main.  Record(), Forget() and the realloc
// quartet run inside hooks on any thread, hold no lock, allocate nothing from the watched heap,
// keep errno.  Everything else belongs to ordinary contexts.
//
// T1  A sample is counted (site counters) if and only if it entered the live table; one that found
//     no room is counted in dropped() and leaves no other trace.
// T2  What leaves the live table adds to the same site's freed figures exactly what its birth added
//     to the allocated ones: both are computed from the stored bytes and weight.
// T3  Nothing of ours is held while a stack is walked; a fork waits until no thread is inside an
//     unwinder, so a child never inherits one of the loader's or libunwind's locks from a sample in
//     progress.
// T4  A block that is born where a sample lives shows that the sample's own was released past us,
//     nobody knows when: it is taken out, counted as freed at no age, and in unseen_deaths().  So
//     an address is in the live table once.  In exact mode to ask the table at each birth would
//     cost two thirds more (a million live blocks), so one birth in kLookedAtOneIn is looked at
//     until the first such block is found or expected, and all from then on.
#ifndef HEAPGAUGE_TRACK_TRACKER_H_
#define HEAPGAUGE_TRACK_TRACKER_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/atomic.h"
#include "base/page_arena.h"
#include "core_api/core_api.h"
#include "options/options.h"
#include "store/live_table.h"
#include "store/site_table.h"
#include "trace/last_walks.h"
#include "trace/module_ledger.h"
#include "trace/stack_memo.h"
#include "trace/stack_trace.h"
#include "track/child_account.h"

namespace heapgauge {

// Of HEAPGAUGE_MEMORY_LIMIT, what is left to the histories of sites and to the report in the
// making: an eighth, from 8 MiB on more, for a report takes some megabytes in any case; at most 20
// MiB, for both are bounded.
constexpr size_t ReportShare(uint64_t limit_bytes) noexcept {
  constexpr uint64_t kMi = uint64_t{1} << 20;
  const uint64_t more = limit_bytes > 8 * kMi ? (limit_bytes - 8 * kMi) / 4 : 0;
  const uint64_t share = limit_bytes / 8 + more;
  return static_cast<size_t>(share < 20 * kMi ? share : 20 * kMi);
}

class Tracker final {
 public:
  static Tracker& Get() noexcept { return instance_; }

  constexpr Tracker() noexcept : arena_(0), ledger_(arena_), sites_(arena_), live_(arena_) {}
  Tracker(const Tracker&) = delete;
  Tracker& operator=(const Tracker&) = delete;

  // Once, from the shim's constructor.  False: no memory; nothing was armed.
  bool Initialize(const Options& options, Control& control, ThreadState& self) noexcept;

  // Hooks (core_api.h says when).
  void Record(ThreadState& self, void* block, size_t bytes, uint64_t interval,
              void* caller) noexcept;
  void RecordGrowth(ThreadState& self, void* block, size_t bytes, UsableGrowth growth,
                    uint64_t interval, void* caller) noexcept;
  bool Forget(void* block) noexcept;  // true when it was sampled
  bool Take(void* block, TakenSample* taken) noexcept;
  void Restore(void* block, const TakenSample& taken) noexcept;
  void Moved(ThreadState& self, void* block, size_t bytes, const TakenSample& taken,
             UsableGrowth growth, void* caller) noexcept;
  void Died(const TakenSample& taken) noexcept;

  // Steering.  Any thread.
  void SetRecording(bool on) noexcept;
  bool recording() const noexcept;
  // Of a tracker that is off: its samples reach the observer, until that is set to nullptr.
  void ShowSamples() noexcept;
  // 1 .. Sampler::kMaxInterval; takes effect at each thread's next sample.
  void SetInterval(uint64_t bytes) noexcept;
  uint64_t interval_bytes() const noexcept;
  // The same by the governor: the interval that was asked for stays known, and one that somebody
  // has asked for meanwhile (so that `from` is no longer in force) stays in force.
  void GovernInterval(uint64_t from, uint64_t to) noexcept;
  uint64_t asked_interval_bytes() const noexcept {
    return asked_interval_.load(std::memory_order_relaxed);  // relaxed: a figure
  }
  uint64_t interval_changes() const noexcept {                 // by the governor
    return interval_changes_.load(std::memory_order_relaxed);  // relaxed: a figure
  }

  // Where the calling thread is, outside a sample: `caller` is the return address of the shim's
  // function of self.shim_frame.
  void Look(ThreadState& self, void* caller, StackTrace& trace) noexcept {
    Capture(self, caller, trace, nullptr, nullptr);
  }

  // What was born up to then is older than the last report.
  void SetReported(uint64_t ns) noexcept {
    reported_ns_.store(ns, std::memory_order_relaxed);  // relaxed: a figure
  }
  uint64_t reported_ns() const noexcept {
    return reported_ns_.load(std::memory_order_relaxed);  // relaxed: a figure
  }

  // Reading.  Any thread.
  const SiteTable& sites() const noexcept { return sites_; }
  const LiveTable& live() const noexcept { return live_; }
  const ModuleLedger& modules() const noexcept { return ledger_; }
  ChildAccount& child_account() noexcept { return child_account_; }
  uint64_t dropped() const noexcept { return dropped_.load(std::memory_order_relaxed); }
  // Samples that were found alive at the address of a new one: released past us (T4).
  uint64_t unseen_deaths() const noexcept {
    return unseen_deaths_.load(std::memory_order_relaxed);  // relaxed: a figure
  }
  // From now on every birth is looked at (T4).
  void ExpectUnseenDeaths() noexcept {
    expects_unseen_deaths_.store(true, std::memory_order_relaxed);  // relaxed: sooner or later
  }
  uint64_t memory_bytes() const noexcept { return arena_.held_bytes(); }
  uint64_t start_ns() const noexcept { return start_ns_; }
  // The coarse clock, which is all that a filter may have left (base/clock.h), may still be before it.
  uint64_t UptimeNs(uint64_t now_ns) const noexcept {
    return now_ns > start_ns_ ? now_ns - start_ns_ : 0;
  }
  uint64_t Now() const noexcept;  // the clock that births are read from
  // CPU the sampled paths have cost so far [ns], extrapolated from one sample in kTimedOneIn; not
  // that of exact samples.
  uint64_t SamplingCpuNs() const noexcept;

  // Called after a sample with its stack, until it is set to nullptr: how the report thread gets
  // started from a context that allows it.
  using SampleObserver = void (*)(ThreadState& self, const StackTrace& trace);
  void set_observer(SampleObserver observer) noexcept;

  // After modules may have come: takes them in, and forgets what is known of stacks through others
  // that may have lain there.  Takes the loader's lock, inside a ForkGate::Passage; never in a
  // hook but dlopen()'s.
  void ModulesCame() noexcept;

  // Before a fork.
  void BeforeFork() noexcept;
  // In a fork's child, which is young from here on: it writes to as few pages as may be, for most
  // children end soon and each page costs as much as a sample.
  void AfterForkInChild() noexcept;
  // It is known to stay.
  void GrowUp() noexcept;

 private:
  static Tracker instance_;

  static constexpr uint64_t kTimedOneIn = 32;
  static constexpr uint64_t kLookedAtOneIn = 16;
  // What takes longer was interrupted: no stack takes so long, and one lost processor would weigh
  // as much as ten thousand samples.
  static constexpr uint64_t kLongestTimedNs = 100'000;

  void RecordWeighted(ThreadState& self, void* block, size_t bytes, double weight,
                      uint64_t interval, void* caller) noexcept;
  // Whether the stack has no room for a sample; while samples are kept this one is counted as dropped then.
  bool IsCramped(ThreadState& self, void* caller) noexcept;
  // What needs that room, in frames that are not on the stack before it has been looked at.
  HG_NOINLINE void RecordRoomily(ThreadState& self, void* block, size_t bytes, double weight,
                                 uint64_t interval, void* caller) noexcept;
  HG_NOINLINE void MoveRoomily(ThreadState& self, void* block, size_t bytes,
                               const LiveSample& before, double weight, void* caller) noexcept;
  // How many samples the present one is timed for; 0: it is not.
  uint64_t TimedFor() noexcept;
  HG_NOINLINE void Show(ThreadState& self, void* caller) noexcept;
  // False: not by cached rules alone, or cut short, and `steps` says nothing.
  bool Capture(ThreadState& self, void* caller, StackTrace& trace, WalkSteps* steps,
               WalkRecord* record) noexcept;
  // The site of the present stack; `trace` is set unless `remember` found it in the memo.
  StoredSite* SiteOf(ThreadState& self, void* caller, bool remember, StackTrace& trace) noexcept;
  void ForgetStacks(uint64_t now) noexcept;
  bool Admit(void* block, const LiveSample& sample) noexcept;
  void CountDeath(const LiveSample& sample) noexcept;
  void CountMove(StoredSite& site, const LiveSample& sample) noexcept;
  bool AddressTells(const void* block) const noexcept;
  bool Filtered() const noexcept;
  bool TakeOut(void* block, LiveSample* sample) noexcept;
  // T4.
  bool MayHideUnseenDeath(const void* block, uint64_t interval) const noexcept;
  void TakeOutUnseen(void* block) noexcept;

  PageArena arena_;
  ModuleLedger ledger_;
  SiteTable sites_;
  LiveTable live_;
  StackMemo memo_;                 // exact samples'
  LastWalks last_walks_;           // likewise
  Atomic<uint64_t> stacks_at_{0};  // what is known of stacks is of this time of the loader's clock
  ChildAccount child_account_;
  Control* control_ = nullptr;
  UnwindMode unwind_ = UnwindMode::kAuto;
  size_t max_frames_ = 64;
  uint64_t start_ns_ = 0;
  Atomic<SampleObserver> observer_{nullptr};
  Atomic<uint64_t> asked_interval_{0};
  Atomic<uint64_t> interval_changes_{0};
  Atomic<uint64_t> dropped_{0};
  Atomic<uint64_t> unseen_deaths_{0};
  Atomic<bool> expects_unseen_deaths_{false};
  Atomic<uint64_t> reported_ns_{0};
  Atomic<uint64_t> ticks_{0};
  Atomic<uint64_t> cpu_ns_{0};
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_TRACK_TRACKER_H_
