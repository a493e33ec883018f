// Whether samples are kept, how many, and who sees them.
#include "base/errno_keeper.h"
#include "base/macros.h"
#include "track/depth_guard.h"
#include "track/filters.h"
#include "track/tracker.h"

namespace heapgauge {

// relaxed, where nothing else is said: on and off are not ordered with other threads' allocations.

void Tracker::SetRecording(bool on) noexcept {
  control_->recording.store(on ? Control::kOn : Control::kOff, std::memory_order_relaxed);
}

bool Tracker::recording() const noexcept {
  return control_->recording.load(std::memory_order_relaxed) == Control::kOn;
}

void Tracker::SetInterval(uint64_t bytes) noexcept {
  // In exact mode no block is aligned: free() looks at every one.  The reason is added before the
  // first exact sample and stays: exact samples may live on after the mode has changed.
  // acquire: pairs with the exchange; whoever set the flag has added the reason.
  if (bytes == Sampler::kExact && !control_->exact.load(std::memory_order_acquire)) {
    control_->AddReason();
    // Added before the flag says so (release): a thread that reads the flag relies on the reason.
    if (control_->exact.exchange(true, std::memory_order_acq_rel)) control_->RemoveReason();
  }
  if (bytes == Sampler::kExact) {
    memo_.Initialize(arena_);
    last_walks_.Initialize(arena_);
  }
  asked_interval_.store(bytes, std::memory_order_relaxed);  // relaxed: a figure
  // release: a thread that draws from the new interval sees the reason (it reads this before it
  // records).
  control_->interval_bytes.store(bytes, std::memory_order_release);
}

void Tracker::GovernInterval(uint64_t from, uint64_t to) noexcept {
  if (from == to) return;
  // relaxed: neither is exact, and nothing else comes with an interval.
  if (control_->interval_bytes.compare_exchange_strong(from, to, std::memory_order_relaxed,
                                                       std::memory_order_relaxed)) {
    interval_changes_.fetch_add(1, std::memory_order_relaxed);  // relaxed: a figure
  }
}

uint64_t Tracker::interval_bytes() const noexcept {
  return control_->interval_bytes.load(std::memory_order_relaxed);  // relaxed: a figure
}

void Tracker::ShowSamples() noexcept {
  uint32_t off = Control::kOff;
  control_->recording.compare_exchange_strong(off, Control::kShown, std::memory_order_relaxed);
}

void Tracker::set_observer(SampleObserver observer) noexcept {
  observer_.store(observer,
                  std::memory_order_release);  // release: what the observer needs is set up
  if (observer != nullptr) return;
  uint32_t shown = Control::kShown;
  control_->recording.compare_exchange_strong(shown, Control::kOff, std::memory_order_relaxed);
}

void Tracker::Show(ThreadState& self, void* caller) noexcept {
  // acquire: pairs with the release in set_observer().
  const SampleObserver observer = observer_.load(std::memory_order_acquire);
  if (observer == nullptr) return;
  const ErrnoKeeper errno_keeper;
  const DepthGuard guard(self);
  StackTrace trace;
  Look(self, caller, trace);
  observer(self, trace);
}

}  // namespace heapgauge
