// Whether samples are kept, and who sees them.
#include "base/errno_keeper.h"
#include "base/macros.h"
#include "track/depth_guard.h"
#include "track/filters.h"
#include "track/tracker.h"

namespace heapgauge {

// relaxed, throughout: on and off are not ordered with other threads' allocations.

void Tracker::SetRecording(bool on) noexcept {
  control_->recording.store(on ? Control::kOn : Control::kOff, std::memory_order_relaxed);
}

bool Tracker::recording() const noexcept {
  return control_->recording.load(std::memory_order_relaxed) == Control::kOn;
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
  self.ended = Filters::Get().EndedIn(self);
  const ErrnoKeeper errno_keeper;
  const DepthGuard guard(self);
  StackTrace trace;
  Look(self, caller, trace);
  observer(self, trace);
}

}  // namespace heapgauge
