#include "graph/memory_copy.h"

#include <errno.h>
#include <fmt/core.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>

#include "base/clock.h"
#include "base/raw_syscall.h"

namespace heapgauge {
namespace {

constexpr double kMiB = 1 << 20;
constexpr uint64_t kKnown = 0x6865617067617567;
// Of the limit, beside the copy: the host goes on allocating.
constexpr uint64_t kReserveBytes = uint64_t{16} << 20;

// In the copy: nothing of the host's is called, for other threads may have held its locks.
[[noreturn]] void Wait(pid_t host) noexcept {
  RawSyscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  RawSyscall(SYS_prctl, PR_SET_NAME, "heapgauge-copy", 0, 0, 0);
  RawSyscall(SYS_close_range, 0U, ~0U, 0);
  const timespec life = {MemoryCopy::kLifeNs / 1'000'000'000, 0};
  if (RawSyscall(SYS_getppid) == host) RawSyscall(SYS_nanosleep, &life, nullptr);
  for (;;) RawSyscall(SYS_exit_group, 0);
}

}  // namespace

std::string WhyNoCopy(const CopyCost& cost, const std::optional<MemoryLimit>& limit) {
  const double mib = static_cast<double>(cost.bytes) / kMiB;
  if (cost.standstill_ms() > CopyCost::kMostStandstillMs) {
    return fmt::format(
        "a copy of its {:.0f} MiB would take some {:.0f} ms, for which its threads may stand "
        "still; "
        "{:.0f} ms are the most. Without --exact nothing stands still",
        mib, cost.standstill_ms(), CopyCost::kMostStandstillMs);
  }
  if (!limit || limit->limit_bytes == 0) return {};
  const uint64_t used = limit->usage_bytes + cost.bytes + kReserveBytes;
  if (used <= limit->limit_bytes) return {};
  return fmt::format(
      "a copy may take {:.0f} MiB, and of its limit ({}, {:.0f} MiB) {:.0f} MiB are used. Without "
      "--exact no memory is copied",
      mib, limit->source, static_cast<double>(limit->limit_bytes) / kMiB,
      static_cast<double>(limit->usage_bytes) / kMiB);
}

bool MemoryCopy::Make() noexcept {
  End();
  const pid_t host = static_cast<pid_t>(RawSyscall(SYS_getpid));
  const uint64_t began = MonotonicNs();
  // No exit signal.  The flags take one register, and the others are 0 in all orders that
  // architectures have them in.
  const long made = RawSyscall(SYS_clone, 0, 0, 0, 0, 0);
  if (made == 0) Wait(host);
  made_ns_ = MonotonicNs();
  took_ns_ = made_ns_ - began;
  if (made < 0) return false;
  pid_ = static_cast<pid_t>(made);
  if (IsReadable()) return true;
  End();
  return false;
}

bool MemoryCopy::IsReadable() const noexcept {
  uint64_t copy = 0;
  const iovec to = {&copy, sizeof(copy)};
  const iovec from = {const_cast<uint64_t*>(&kKnown), sizeof(kKnown)};
  return RawSyscall(SYS_process_vm_readv, pid_, &to, 1, &from, 1, 0) == sizeof(copy) &&
         copy == kKnown;
}

void MemoryCopy::End() noexcept {
  if (pid_ == 0) return;
  RawSyscall(SYS_kill, pid_, SIGKILL);  // still ours to name: it has not been reaped
  while (RawSyscall(SYS_wait4, pid_, nullptr, __WALL, nullptr) == -EINTR) {
  }
  pid_ = 0;
}

bool MemoryCopy::expired() const noexcept {
  return pid_ != 0 && MonotonicNs() - made_ns_ >= kLifeNs;
}

}  // namespace heapgauge
