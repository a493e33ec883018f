// What is lost before the process ends, because it asks itself: LeakSanitizer's API under
// `heapgauge check` (lsan/lsan_hooks.h).
#include <dlfcn.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <atomic>
#include <iterator>

#include "base/errno_keeper.h"
#include "base/raw_syscall.h"
#include "graph/thread_record.h"
#include "lsan/lsan_hooks.h"
#include "reporter/own_work.h"
#include "reporter/reporter.h"
#include "track/filters.h"

namespace heapgauge {
namespace {

// The check's own files are the newest; a report is made with it, which nobody reads.
constexpr uint32_t kCheckPatienceMs = 120'000;

// exit() and quick_exit() call what ends the process, each in its first bytes.
std::atomic<uintptr_t> g_ends[2]{};
constexpr uintptr_t kEndBytes = 64;
constexpr size_t kMostWords = 2048;  // between that call and us

bool IsInEnd(uintptr_t address) noexcept {
  for (const std::atomic<uintptr_t>& end : g_ends) {
    // relaxed: written before the program runs.
    const uintptr_t begin = end.load(std::memory_order_relaxed);
    if (begin != 0 && address > begin && address < begin + kEndBytes) return true;
  }
  return false;
}

}  // namespace

// What lies on the stack between the call of exit() and here are frames of the C library's, and in
// them what is left of main() and of what it called: pointers that nobody has any more.
uintptr_t FrameBeforeExit(uintptr_t frame) noexcept {
  uintptr_t words[512];
  for (size_t at = 0; at < kMostWords; at += std::size(words)) {
    const uintptr_t from = frame + at * sizeof(uintptr_t);
    const iovec to = {words, sizeof(words)};
    const iovec there = {reinterpret_cast<void*>(from), sizeof(words)};  // NOLINT: an address
    const long got = RawSyscall(SYS_process_vm_readv, gettid(), &to, 1, &there, 1, 0);
    const size_t count = got > 0 ? static_cast<size_t>(got) / sizeof(uintptr_t) : 0;
    for (size_t i = 0; i < count; ++i) {
      // Behind it stand the rest of exit()'s own frame and its return address.
      if (IsInEnd(words[i])) return from + (i + 3) * sizeof(uintptr_t);
    }
    if (count < std::size(words)) break;
  }
  return frame;
}

ProcessEnd EndFrom(uintptr_t frame, uint16_t ended, uint64_t since_ns) noexcept {
  stack_t signals = {};  // often the kernel alone knows it
  const bool known = (ended & kEndsWalks) == 0 && sigaltstack(nullptr, &signals) == 0 &&
                     (signals.ss_flags & SS_DISABLE) == 0;
  return {.thread = static_cast<pid_t>(syscall(SYS_gettid)),
          .frame = frame,
          .signal_stack = known ? reinterpret_cast<uintptr_t>(signals.ss_sp) : 0,
          .since_ns = since_ns};
}

void Reporter::OfferChecks() noexcept {
  if (options_->holders != HoldersOption::kExit) return;
  if (void* const c_library = dlopen("libc.so.6", RTLD_LAZY | RTLD_NOLOAD)) {
    // relaxed: read when the program ends.
    g_ends[0].store(reinterpret_cast<uintptr_t>(dlsym(c_library, "exit")),
                    std::memory_order_relaxed);
    g_ends[1].store(reinterpret_cast<uintptr_t>(dlsym(c_library, "quick_exit")),
                    std::memory_order_relaxed);
    // It stays: dlclose() is in another library before glibc 2.34, and the C library never goes.
  }
  LearnThreadRecord();
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
  const auto frame = reinterpret_cast<uintptr_t>(__builtin_frame_address(0));
  thread_->round.SetEnd(EndFrom(frame, ended, own_births_ns_));
  // relaxed, both: the question orders them, and its answer.
  thread_->checks.store(last ? ReportThread::kCheckForGood : ReportThread::kCheckNow,
                        std::memory_order_relaxed);
  if (!Ask({.patience_ms = kCheckPatienceMs}, ended)) return -1;
  return thread_->lost_objects.load(std::memory_order_relaxed);
}

}  // namespace heapgauge
