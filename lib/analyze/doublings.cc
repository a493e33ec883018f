#include "analyze/doublings.h"

#include "analyze/rules.h"

namespace heapgauge {

void Doublings::Restart(double now_s, double live_bytes) {
  *this = Doublings();
  first_bytes_ = level_bytes_ = live_bytes;
  step_s_ = now_s;
}

void Doublings::Add(double now_s, double live_bytes, uint64_t live_samples) {
  const bool fell = live_bytes < rules::kDoublingFell * level_bytes_;
  if (live_samples == 0 || live_samples > rules::kFewBlocks || level_bytes_ <= 0 || fell) {
    return Restart(now_s, live_samples <= rules::kFewBlocks ? live_bytes : 0);
  }
  if (live_bytes < rules::kDoublingStep * level_bytes_) return;
  level_bytes_ = live_bytes;
  pause_s_ = now_s - step_s_;
  step_s_ = now_s;
  ++steps_;
}

uint32_t Doublings::Count(double now_s) const {
  const bool over = now_s - step_s_ > rules::kDoublingPause * pause_s_;
  return steps_ < rules::kDoublings || over ? 0 : steps_;
}

}  // namespace heapgauge
