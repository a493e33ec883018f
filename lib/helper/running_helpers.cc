#include "helper/running_helpers.h"

#include <sched.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/errno_keeper.h"
#include "base/pause.h"
#include "base/raw_syscall.h"

namespace heapgauge {
namespace {

constexpr int kMost = 16;
constexpr long kLookNs = 1'000'000;
constexpr uint64_t kStarting = 1;

// A guardian and the process that it belongs to: a fork's child has the list, but none of them.
Atomic<uint64_t> g_entries[kMost];
Atomic<uint32_t> g_stopped{0};

uint64_t Entry(uint64_t guardian) noexcept {
  return static_cast<uint64_t>(getpid()) << 32 | guardian;
}

bool IsForeign(uint64_t entry) noexcept { return entry >> 32 != static_cast<uint64_t>(getpid()); }

// True when the guardian of this entry is no more.
bool IsOver(uint64_t entry) noexcept {
  if (entry == 0 || IsForeign(entry)) return true;
  const uint64_t guardian = entry & 0xffffffff;
  if (guardian == kStarting) return false;
  // Reaped here: whoever started it may be busy elsewhere, and finds that it has no such child.
  const long ended =
      RawSyscall(SYS_wait4, static_cast<pid_t>(guardian), nullptr, __WCLONE | WNOHANG, nullptr);
  return ended != 0;
}

bool AllOver() noexcept {
  for (const Atomic<uint64_t>& entry : g_entries) {
    // seq_cst: either we see the entry of a helper that starts, or its starter sees g_stopped.
    if (!IsOver(entry.load(std::memory_order_seq_cst))) return false;
  }
  return true;
}

}  // namespace

void StopHelpers() noexcept {
  g_stopped.fetch_add(1, std::memory_order_seq_cst);  // seq_cst: see AllOver()
}

bool EndHelpers(uint64_t patience_ns) noexcept {
  const ErrnoKeeper errno_keeper;
  StopHelpers();
  const uint64_t deadline = MonotonicNs() + patience_ns;
  while (!AllOver()) {
    if (MonotonicNs() >= deadline) return false;
    PauseFor(kLookNs);
  }
  return true;
}

void AllowHelpers() noexcept {
  // relaxed: nothing else comes with it.
  g_stopped.fetch_sub(1, std::memory_order_relaxed);
}

const Atomic<uint32_t>* HelpersStopped() noexcept { return &g_stopped; }

RunningHelper::RunningHelper() noexcept {
  for (int i = 0; i < kMost && entry_ < 0; ++i) {
    uint64_t there = g_entries[i].load(std::memory_order_relaxed);  // relaxed: checked below
    if (there != 0 && !IsForeign(there)) continue;
    // seq_cst: see AllOver().
    if (g_entries[i].compare_exchange_strong(there, Entry(kStarting), std::memory_order_seq_cst,
                                             std::memory_order_relaxed)) {
      entry_ = i;
    }
  }
  if (g_stopped.load(std::memory_order_seq_cst) != 0) Release();  // seq_cst: see AllOver()
}

void RunningHelper::Started(pid_t guardian) noexcept {
  // release: what EndHelpers() waits for exists.
  g_entries[entry_].store(Entry(static_cast<uint64_t>(guardian)), std::memory_order_release);
}

void RunningHelper::Release() noexcept {
  // release: the guardian has been reaped.
  if (entry_ >= 0) g_entries[entry_].store(0, std::memory_order_release);
  entry_ = -1;
}

}  // namespace heapgauge
