#include "reporter/start_watch.h"

#include "base/macros.h"
#include "base/raw_log.h"

namespace heapgauge {
namespace {

// Most constructors end, and a clear stack comes after them.
constexpr uint64_t kPatienceNs = 500'000'000;
// A deep stack takes some tens of microseconds to look through.
constexpr uint64_t kPauseNs = 50'000'000;
constexpr uintptr_t kMostBytes = uintptr_t{8} << 20;

// The words between the hook and the beginning of the thread's own stack.
HG_NO_SANITIZE_ADDRESS bool HoldsSignalReturn(uintptr_t from, uintptr_t to) noexcept {
  for (; from + sizeof(uintptr_t) <= to; from += sizeof(uintptr_t)) {
    if (PlaceOf(*reinterpret_cast<const uintptr_t*>(from)) == Place::kSignalReturn) return true;
  }
  return false;
}

// nullptr when the thread may be started here; else from where the sample came, for people.
const char* WhyNotHere(const ThreadState& self, const StackTrace& trace) noexcept {
  if (trace.depth == 0) return "code whose caller is not known";
  switch (PlaceOf(trace.frames[0])) {
    case Place::kLoader:
      return "the dynamic loader";
    case Place::kThreadCreation:
      return "the C library's thread functions";
    case Place::kSignalReturn:
      return "a signal handler";
    case Place::kElsewhere:
      break;
  }
  for (size_t i = 0; i < trace.depth; ++i) {
    if (PlaceOf(trace.frames[i]) == Place::kSignalReturn) return "a signal handler";
  }
  const uintptr_t frame = reinterpret_cast<uintptr_t>(self.shim_frame);
  if (frame < self.stack_low || frame >= self.stack_high || self.stack_high - frame > kMostBytes) {
    return "a hand-made or very deep stack";
  }
  return HoldsSignalReturn(frame, self.stack_high) ? "a signal handler" : nullptr;
}

}  // namespace

bool StartWatch::Allows(const ThreadState& self, const StackTrace& trace, uint64_t now_ns,
                        uint64_t report_interval_ns) noexcept {
  // relaxed throughout: a look more or less, and the line is said by whoever changes said_.
  uint64_t first = 0;
  if (first_ns_.compare_exchange_strong(first, now_ns, std::memory_order_relaxed)) first = now_ns;
  if (now_ns < next_ns_.load(std::memory_order_relaxed)) return false;
  next_ns_.store(now_ns + kPauseNs, std::memory_order_relaxed);
  const uint64_t waited_ns = now_ns > first ? now_ns - first : 0;
  const char* const why_not = WhyNotHere(self, trace);
  if (why_not == nullptr) return trace.depth <= 1 || waited_ns >= kPatienceNs;
  if (waited_ns / 2 >= report_interval_ns && !said_.exchange(true, std::memory_order_relaxed)) {
    RawLog(LogLevel::kWarning,
           "no report thread could be started: every sample so far came from inside %s, where that "
           "is not safe; until one comes from elsewhere the only report is that of the exit",
           why_not);
  }
  return false;
}

}  // namespace heapgauge
