#include "track/tracker.h"

#include <algorithm>

#include "base/clock.h"
#include "base/errno_keeper.h"
#include "base/fork_gate.h"
#include "base/macros.h"
#include "labels/thread_context.h"
#include "trace/frame_rule.h"
#include "trace/stack_bounds.h"
#include "trace/stack_hash.h"
#include "track/births.h"
#include "track/depth_guard.h"
#include "track/filters.h"
#include "track/probes.h"
#include "track/weights.h"

namespace heapgauge {
namespace {

// Sites may take this part of the stores' memory; the rest is the live table's.
constexpr size_t kSiteShare = 2;
// With less stack a sample gets its caller alone: a careful walk needs 6 KiB, libunwind behind it 8.
constexpr uintptr_t kUnwindRoom = 12 * 1024;
// With less still, as on a small signal stack, there is no sample: the walk by tables, the site and the block's place in
// the live table need 3.5 KiB.
constexpr uintptr_t kSampleRoom = 4608;

LiveSample FromTaken(const TakenSample& taken) noexcept {
  return {taken.bytes, taken.birth_ns, taken.site, taken.labels, taken.weight, taken.unaligned};
}

// Of one age, less room for as many threads as there may be.
constexpr uint32_t kMostDeaths = UINT32_MAX - (1U << 22);

void AddDouble(Atomic<double>& to, double value) noexcept {
  // relaxed: a sum on its own.
  double seen = to.load(std::memory_order_relaxed);
  while (!to.compare_exchange_weak(seen, seen + value, std::memory_order_relaxed,
                                   std::memory_order_relaxed)) {
  }
}

void Count(SiteCounters& counters, const LiveSample& sample) noexcept {
  // relaxed throughout: site_table.h.
  counters.bytes.fetch_add(BytesShare(sample.bytes, sample.weight), std::memory_order_relaxed);
  counters.samples.fetch_add(1, std::memory_order_relaxed);
  if (sample.weight == 1.0F) return;
  counters.unseen_objects.fetch_add(UnseenObjects(sample.weight), std::memory_order_relaxed);
  AddDouble(counters.variance, VarianceShare(sample.bytes, sample.weight));
}

}  // namespace

constinit Tracker Tracker::instance_;

bool Tracker::Initialize(const Options& options, Control& control, ThreadState& self) noexcept {
  control_ = &control;
  unwind_ = options.unwind;
  max_frames_ = options.max_frames;
  const size_t arena_bytes = options.memory_limit_bytes - ReportShare(options.memory_limit_bytes);
  arena_.set_limit_bytes(arena_bytes);
  if (!sites_.Initialize(arena_bytes / kSiteShare)) return false;
  Labels::Get().Initialize(arena_, options.memory_limit_bytes);
  WarmUnwinders(unwind_, self);
  ledger_.Initialize();
  ThreadContext::Get().Find(ledger_.clock());
  start_ns_ = MonotonicNs();
  child_account_.Begin(CoarseMonotonicNs());  // neither clock of births is behind it
  SetInterval(options.sample_interval_bytes);
  SetRecording(options.start);
  return true;
}

uint64_t Tracker::Now() const noexcept {
  return interval_bytes() == Sampler::kExact ? ExactBirthNs() : MonotonicNs();
}

bool Tracker::AddressTells(const void* block) const noexcept {
  // acquire: pairs with the exchange in SetInterval(); exact mode's own reason is never taken back.
  return Control::Recognisable(reinterpret_cast<uintptr_t>(block)) ||
         control_->exact.load(std::memory_order_acquire);
}

bool Tracker::Capture(ThreadState& self, void* caller, StackTrace& trace, WalkSteps* steps,
                      WalkRecord* record) noexcept {
  switch (unwind_) {
    case UnwindMode::kFramePointers:
      CaptureFramePointers(trace, max_frames_, caller, self);
      return false;
    case UnwindMode::kAuto:
      if (HG_LIKELY(CaptureByTables(trace, max_frames_, caller, self, steps, record))) return true;
      break;
    case UnwindMode::kDwarf:
      break;
  }
  const uintptr_t here = reinterpret_cast<uintptr_t>(__builtin_frame_address(0));
  if (HG_UNLIKELY(!self.stack_known)) LearnStack(self, here, caller);
  const bool cramped = !StackHasRoom(self, here, kUnwindRoom);
  if (HG_UNLIKELY(cramped)) {
    trace.frames[0] = reinterpret_cast<uintptr_t>(caller);
    trace.depth = 1;
  } else if (unwind_ == UnwindMode::kDwarf) {
    CaptureByLibunwind(trace, max_frames_, caller);
  } else {
    CaptureCareful(trace, max_frames_, caller);
  }
  return false;
}

// Exact samples come by the million from the same few stacks, which the memo knows, or from ones
// that differ from the thread's last in a frame; others come too seldom for both.
StoredSite* Tracker::SiteOf(ThreadState& self, void* caller, bool remember,
                            StackTrace& trace) noexcept {
  const uint64_t now = ledger_.clock().Now();
  // acquire: pairs with the release in ForgetStacks().
  if (HG_UNLIKELY(stacks_at_.load(std::memory_order_acquire) != now)) ForgetStacks(now);
  StackMemo::Answer known;
  if (remember && unwind_ == UnwindMode::kAuto && self.shim_frame != nullptr) {
    known = memo_.Find(self);
    if (known.value != nullptr) return static_cast<StoredSite*>(known.value);
  }
  WalkSteps steps;
  // A walk that the memo is to keep takes every step itself.
  WalkRecord* const record = remember && !known.keep ? last_walks_.Borrow(self) : nullptr;
  const bool walked = Capture(self, caller, trace, known.keep ? &steps : nullptr, record);
  LastWalks::GiveBack(record);
  const size_t holders = ledger_.NameSuccessors(trace, now);
  if (walked && record != nullptr && trace.hash != 0) {
    return sites_.Intern(trace.frames, trace.depth, trace.hash, holders);
  }
  const uint64_t hash = HashStack(trace.frames, trace.depth);
  StoredSite* const site = sites_.Intern(trace.frames, trace.depth, hash, holders);
  if (walked && known.keep) memo_.Keep(self, steps, site);
  return site;
}

void Tracker::CountDeath(const LiveSample& sample) noexcept {
  StoredSite& site = *sites_.At(sample.site);
  Count(site.freed, sample);
  child_account_.Died(sample);
  const uint64_t now = Now();
  const uint64_t age = now > sample.birth_ns ? now - sample.birth_ns : 0;
  Atomic<uint32_t>& deaths = site.deaths[AgeBucket(age)];
  // relaxed, here and below: site_table.h.  In exact mode a site may see more than 32 bits count:
  // then it stays near the most.
  if (HG_UNLIKELY(deaths.fetch_add(1, std::memory_order_relaxed) >= kMostDeaths)) {
    deaths.fetch_sub(1, std::memory_order_relaxed);
  }
}

// relaxed: site_table.h.
void Tracker::CountMove(StoredSite& site, const LiveSample& sample) noexcept {
  const int64_t objects = static_cast<int64_t>(1 / kObjectsUnit) + UnseenObjects(sample.weight);
  site.moved_bytes.fetch_add(BytesShare(sample.bytes, sample.weight), std::memory_order_relaxed);
  site.moved_objects.fetch_add(objects, std::memory_order_relaxed);
}

// relaxed: if this thread sees the flag, so does whoever frees the block that it leaves uncounted.
bool Tracker::Filtered() const noexcept {
  return control_->filter != nullptr && !control_->exact.load(std::memory_order_relaxed);
}

bool Tracker::Admit(void* block, const LiveSample& sample) noexcept {
  const uintptr_t address = reinterpret_cast<uintptr_t>(block);
  if (sample.unaligned) control_->AddReason();  // before the block is returned
  if (Filtered()) control_->filter->Add(address);
  if (HG_LIKELY(live_.Insert(address, sample))) {
    ProbeAlloc(block, sample.bytes, static_cast<double>(sample.weight));
    return true;
  }
  if (Filtered()) control_->filter->Remove(address);
  if (sample.unaligned) control_->RemoveReason();
  dropped_.fetch_add(1, std::memory_order_relaxed);  // relaxed: a figure
  return false;
}

uint64_t Tracker::TimedFor() noexcept {
  const uint64_t tick = ticks_.fetch_add(1, std::memory_order_relaxed);  // relaxed: a figure
  if (tick < kTimedOneIn) return 1;  // the first find nothing prepared, and stand for no others
  return tick % kTimedOneIn == 0 ? kTimedOneIn : 0;
}

void Tracker::Record(ThreadState& self, void* block, size_t bytes, uint64_t interval,
                     void* caller) noexcept {
  RecordWeighted(self, block, bytes, 1 / InclusionProbability(bytes, interval), interval, caller);
}

void Tracker::RecordGrowth(ThreadState& self, void* block, size_t bytes, UsableGrowth growth,
                           uint64_t interval, void* caller) noexcept {
  const double weight = 1 / InclusionProbability(growth.usable, interval);
  RecordWeighted(self, block, bytes, weight, interval, caller);
}

bool Tracker::IsCramped(ThreadState& self, void* caller) noexcept {
  // For this and the walk, which look at the thread's own word.
  self.ended = Filters::Get().EndedIn(self);
  const uintptr_t here = reinterpret_cast<uintptr_t>(__builtin_frame_address(0));
  if (HG_UNLIKELY(!self.stack_known)) LearnStack(self, here, caller);
  if (HG_LIKELY(!StackIsShort(self, here, kSampleRoom))) return false;
  if (recording()) dropped_.fetch_add(1, std::memory_order_relaxed);  // relaxed: a figure
  return true;
}

void Tracker::RecordWeighted(ThreadState& self, void* block, size_t bytes, double weight,
                             uint64_t interval, void* caller) noexcept {
  if (HG_UNLIKELY(IsCramped(self, caller))) return;
  if (HG_UNLIKELY(!recording())) return Show(self, caller);
  if (MayHideUnseenDeath(block, interval)) TakeOutUnseen(block);
  RecordRoomily(self, block, bytes, weight, interval, caller);
}

void Tracker::RecordRoomily(ThreadState& self, void* block, size_t bytes, double weight,
                            uint64_t interval, void* caller) noexcept {
  // acquire: pairs with the release in set_observer().
  const SampleObserver observer = observer_.load(std::memory_order_acquire);
  // An observer is shown every stack: without a report thread nobody would hear of a full table.
  if (HG_UNLIKELY(observer == nullptr && live_.Full(reinterpret_cast<uintptr_t>(block)))) {
    dropped_.fetch_add(1, std::memory_order_relaxed);  // relaxed: a figure
    return;
  }
  const ErrnoKeeper errno_keeper;
  const DepthGuard guard(self);
  const uint64_t timed_for = interval == Sampler::kExact ? 0 : TimedFor();
  const uint64_t began = timed_for != 0 ? MonotonicNs() : 0;
  StackTrace trace;
  const bool remember = interval == Sampler::kExact && observer == nullptr;
  StoredSite* const site = SiteOf(self, caller, remember, trace);
  LiveSample sample;
  sample.bytes = bytes;
  sample.birth_ns = Now();
  sample.site = site->index;
  sample.labels = ThreadContext::Get().SetOf(self, ledger_.clock());
  sample.weight = static_cast<float>(weight);
  sample.unaligned = !AddressTells(block);
  if (Admit(block, sample)) {
    Count(site->allocated, sample);
    child_account_.Born(sample);
  }
  if (timed_for != 0) {
    const uint64_t took = std::min(MonotonicNs() - began, kLongestTimedNs);
    cpu_ns_.fetch_add(took * timed_for, std::memory_order_relaxed);  // relaxed: a figure
  }
  if (HG_UNLIKELY(observer != nullptr)) observer(self, trace);
}

bool Tracker::TakeOut(void* block, LiveSample* sample) noexcept {
  const uintptr_t address = reinterpret_cast<uintptr_t>(block);
  if (!live_.Take(address, sample)) return false;
  if (Filtered()) control_->filter->Remove(address);
  ProbeFree(block);
  return true;
}

// Another part of the addresses at each step of the coarse clock.
bool Tracker::MayHideUnseenDeath(const void* block, uint64_t interval) const noexcept {
  if (interval != Sampler::kExact) return true;
  // relaxed: sooner or later.
  if (expects_unseen_deaths_.load(std::memory_order_relaxed)) return true;
  const uint64_t mixed = (reinterpret_cast<uintptr_t>(block) >> 4) + (CoarseMonotonicNs() >> 20);
  return ((mixed * 0x9E3779B97F4A7C15U) >> 32) % kLookedAtOneIn == 0;
}
void Tracker::TakeOutUnseen(void* block) noexcept {
  LiveSample sample;
  // More than once if none was looked at.
  while (HG_UNLIKELY(TakeOut(block, &sample))) {
    if (sample.unaligned) control_->RemoveReason();
    StoredSite& site = *sites_.At(sample.site);
    Count(site.freed, sample);
    child_account_.Died(sample);
    // relaxed, both: figures.
    site.unseen_deaths.fetch_add(1, std::memory_order_relaxed);
    unseen_deaths_.fetch_add(1, std::memory_order_relaxed);
    ExpectUnseenDeaths();
  }
}

bool Tracker::Forget(void* block) noexcept {
  LiveSample sample;
  if (!TakeOut(block, &sample)) return false;
  if (HG_UNLIKELY(sample.unaligned)) control_->RemoveReason();
  CountDeath(sample);
  return true;
}

bool Tracker::Take(void* block, TakenSample* taken) noexcept {
  LiveSample sample;
  if (!TakeOut(block, &sample)) return false;
  *taken = {sample.bytes,  sample.birth_ns,  sample.site,
            sample.weight, sample.unaligned, sample.labels};
  return true;
}

void Tracker::Restore(void* block, const TakenSample& taken) noexcept {
  const ErrnoKeeper errno_keeper;  // it says why realloc failed, and the table may ask for memory
  // Its slot was free a moment ago; if the table is full now, the sample ends here, and says so.
  LiveSample sample = FromTaken(taken);
  if (sample.unaligned) control_->RemoveReason();  // Admit() adds it again
  if (Admit(block, sample)) return;
  Count(sites_.At(sample.site)->freed, sample);
  child_account_.Died(sample);
}

void Tracker::Died(const TakenSample& taken) noexcept {
  if (taken.unaligned) control_->RemoveReason();
  CountDeath(FromTaken(taken));
}

void Tracker::Moved(ThreadState& self, void* block, size_t bytes, const TakenSample& taken,
                    UsableGrowth growth, void* caller) noexcept {
  const ErrnoKeeper errno_keeper;
  const DepthGuard guard(self);
  const LiveSample before = FromTaken(taken);
  if (taken.unaligned) control_->RemoveReason();
  if (HG_UNLIKELY(IsCramped(self, caller))) return CountDeath(before);
  double weight = static_cast<double>(before.weight);
  if (recording()) {  // while it is off, growth gives no unsampled block another chance
    const uint64_t interval = self.sampler.ChargedAt(interval_bytes());
    if (bytes >= before.bytes) {
      weight = WeightAfterGrowth(weight, growth, interval);
    } else {
      // Thinning: a block of this size would be in the sample with p only.
      const double p = ProbabilityAfterShrinking(1 / weight, before.bytes, bytes, interval);
      if (p * weight < 1 && self.sampler.Uniform() >= p * weight) return CountDeath(before);
      weight = 1 / p;
    }
  }
  MoveRoomily(self, block, bytes, before, weight, caller);
}

void Tracker::MoveRoomily(ThreadState& self, void* block, size_t bytes, const LiveSample& before,
                          double weight, void* caller) noexcept {
  StackTrace trace;
  StoredSite* const site = SiteOf(self, caller, weight == 1, trace);
  LiveSample after = before;
  after.bytes = bytes;
  after.weight = static_cast<float>(weight);
  after.site = site->index;
  after.unaligned = !AddressTells(block);
  CountDeath(before);
  const bool is_old = before.birth_ns <= reported_ns();
  if (!is_old) CountMove(*sites_.At(before.site), before);
  if (MayHideUnseenDeath(block, weight == 1 ? Sampler::kExact : 0)) TakeOutUnseen(block);
  if (!Admit(block, after)) return;
  Count(site->allocated, after);
  if (is_old) CountMove(*site, after);
  child_account_.Born(after);
}

uint64_t Tracker::SamplingCpuNs() const noexcept {
  return cpu_ns_.load(std::memory_order_relaxed);  // relaxed: a figure
}

// The rules of what lay there before would mislead.
void Tracker::ForgetStacks(uint64_t now) noexcept {
  g_frame_rules.Clear();
  ForgetAskedStacks();
  memo_.Clear();
  last_walks_.Clear();
  // release: whoever sees that it is done finds nothing old.
  stacks_at_.store(now, std::memory_order_release);
}

void Tracker::ModulesCame() noexcept {
  ledger_.TakeStock();
  ThreadContext::Get().Find(ledger_.clock());
  const uint64_t now = ledger_.clock().Now();  // acquire: as SiteOf()
  if (stacks_at_.load(std::memory_order_acquire) != now) ForgetStacks(now);
}

void Tracker::BeforeFork() noexcept { g_frame_rules.BeforeFork(); }

void Tracker::AfterForkInChild() noexcept {
  SetReported(Now());
  child_account_.Begin(Now());
  sites_.AfterForkInChild();
  live_.AfterForkInChild();
  // Samples by the thousand: small segments would only be in the way.
  if (interval_bytes() == Sampler::kExact) live_.GrowUp();
  last_walks_.AfterForkInChild();
  g_frame_rules.AfterForkInChild();
}

void Tracker::GrowUp() noexcept {
  sites_.GrowUp();
  live_.GrowUp();
  g_frame_rules.GrowUp();
}

}  // namespace heapgauge
