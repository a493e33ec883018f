// What is lost before the process ends, because it asks itself: LeakSanitizer's API under
// `heapgauge check` (lsan/lsan_hooks.h).
#include <dlfcn.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/errno_keeper.h"
#include "lsan/lsan_hooks.h"
#include "reporter/own_work.h"
#include "reporter/reporter.h"
#include "track/filters.h"

namespace heapgauge {
namespace {

// The check's own files are the newest; a report is made with it, which nobody reads.
constexpr uint32_t kCheckPatienceMs = 120'000;

}  // namespace

void Reporter::OfferChecks() noexcept {
  if (options_->holders != HoldersOption::kExit) return;
  auto* const hooks = static_cast<LsanHooks*>(dlsym(RTLD_DEFAULT, kLsanHooksName));
  if (hooks == nullptr || hooks->version != LsanHooks::kVersion) return;
  hooks->check = [](bool last) { return Reporter::Get().CheckNow(last); };
}

int64_t Reporter::CheckNow(bool last) noexcept {
  const ErrnoKeeper errno_keeper;
  const uint16_t ended = Filters::Get().EndedIn(*this_thread_());
  if (muted_.load(std::memory_order_relaxed) || thread_->desk.IsOver() || InForeignClone())
    return -1;
  const OwnWork work(this_thread_());
  if (this_thread_()->exempt || !EnsureThreadSoon()) return -1;
  thread_->round.SetEnd({.thread = static_cast<pid_t>(syscall(SYS_gettid)),
                         .frame = reinterpret_cast<uintptr_t>(__builtin_frame_address(0)),
                         .since_ns = own_births_ns_});
  // relaxed, both: the question orders them, and its answer.
  thread_->checks.store(last ? ReportThread::kCheckForGood : ReportThread::kCheckNow,
                        std::memory_order_relaxed);
  if (!Ask({.patience_ms = kCheckPatienceMs}, ended)) return -1;
  return thread_->lost_objects.load(std::memory_order_relaxed);
}

}  // namespace heapgauge
