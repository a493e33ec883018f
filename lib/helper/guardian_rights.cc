#include "helper/guardian_rights.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>

#include "base/raw_syscall.h"
#include "helper/rights_lines.h"

namespace heapgauge {
namespace {

#if defined(__x86_64__)
constexpr uint32_t kArchitecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
#else
constexpr uint32_t kArchitecture = 0;  // no filter
#endif

constexpr uint32_t kAllowed[] = {SYS_read,  SYS_pread64,       SYS_ppoll, SYS_wait4,
                                 SYS_close, SYS_clock_gettime, SYS_exit,  SYS_exit_group};
constexpr size_t kAllowedCalls = sizeof(kAllowed) / sizeof(kAllowed[0]);
// Refused, not killed for: a death by SIGSYS dumps core, and a core dump ends all who share memory.
constexpr uint32_t kRefuse = SECCOMP_RET_ERRNO | EPERM;

class Filter final {
 public:
  void Load(size_t offset) noexcept {
    Add(BPF_LD | BPF_W | BPF_ABS, static_cast<uint32_t>(offset), 0, 0);
  }
  // The next `skip` instructions are for equals only.
  void UnlessEqual(uint32_t value, uint8_t skip) noexcept {
    Add(BPF_JMP | BPF_JEQ | BPF_K, value, 0, skip);
  }
  void Return(uint32_t answer) noexcept { Add(BPF_RET | BPF_K, answer, 0, 0); }
  bool Install() noexcept {
    const sock_fprog program = {static_cast<unsigned short>(size_), code_};
    return RawSyscall(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           RawSyscall(SYS_prctl, PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0;
  }

 private:
  void Add(int code, uint32_t value, uint8_t if_true, uint8_t if_false) noexcept {
    sock_filter& next = code_[size_++];
    next.code = static_cast<uint16_t>(code);
    next.jt = if_true;
    next.jf = if_false;
    next.k = value;
  }

  sock_filter code_[2 * kAllowedCalls + 16];
  size_t size_ = 0;
};

bool LockIn(pid_t helper) noexcept {
  if (kArchitecture == 0) return false;
  Filter filter;
  filter.Load(offsetof(seccomp_data, arch));
  filter.UnlessEqual(kArchitecture, 1);
  filter.Load(offsetof(seccomp_data, nr));  // of another architecture: its own number, no call
  for (const uint32_t call : kAllowed) {
    filter.UnlessEqual(call, 1);
    filter.Return(SECCOMP_RET_ALLOW);
  }
  filter.UnlessEqual(SYS_kill, 7);
  filter.Load(offsetof(seccomp_data, args[1]));  // its low half, as the kernel reads it
  filter.UnlessEqual(SIGKILL, 5);
  filter.Load(offsetof(seccomp_data, args[0]));
  filter.UnlessEqual(static_cast<uint32_t>(helper), 1);
  filter.Return(SECCOMP_RET_ALLOW);
  filter.UnlessEqual(static_cast<uint32_t>(-helper), 1);
  filter.Return(SECCOMP_RET_ALLOW);
  filter.Return(kRefuse);
  return filter.Install();
}

struct Capabilities {
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = {};

  bool Read() noexcept { return RawSyscall(SYS_capget, &header, sets) == 0; }
  bool Any() const noexcept { return (sets[0].permitted | sets[1].permitted) != 0; }
};

bool HasRootsIds() noexcept {
  uint32_t real = 0;
  uint32_t effective = 0;
  uint32_t saved = 0;
  RawSyscall(SYS_getresuid, &real, &effective, &saved);
  return real == 0 || effective == 0 || saved == 0;
}

// A status file may have 65 536 groups in it; what is cut off is not watched.
constexpr size_t kStatusBytes = size_t{16} * 1024;

bool Begins(const char* line, const char* end, const char* name) noexcept {
  while (*name != '\0' && line < end && *line == *name) ++line, ++name;
  return *name == '\0' && line < end && *line == ':';
}

class Hash final {
 public:
  void Add(char byte) noexcept {
    value_ = (value_ ^ static_cast<unsigned char>(byte)) * 0x100000001b3;
  }
  uint64_t value() const noexcept { return value_; }

 private:
  uint64_t value_ = 0xcbf29ce484222325;  // FNV-1a
};

// What rights_lines.h says, of ids the real and saved ones.  The other ids and capabilities are
// changed for a moment by servers that act for their clients.
uint64_t RightsIn(int status) noexcept {
  char text[kStatusBytes];
  const long got = RawSyscall(SYS_pread64, status, text, sizeof(text), 0);
  if (got <= 0) return 0;
  Hash hash;
  const char* const end = text + got;
  for (const char* at = text; at < end; ++at) {
    bool counts = false;
    bool ids = false;
    for (const RightsLine& line : kRightsLines) {
      if (!Begins(at, end, line.name)) continue;
      counts = true;
      ids = line.has_ids;
    }
    int column = 0;
    for (; at < end && *at != '\n'; ++at) {
      if (*at == '\t') ++column;
      if (counts && (!ids || column == 1 || column == 3)) hash.Add(*at);
    }
  }
  return hash.value();
}

}  // namespace

bool GiveUpRights(pid_t helper) noexcept {
  Capabilities now;
  const bool privileged = !now.Read() || now.Any() || HasRootsIds();
  if (now.Any()) {
    Capabilities none;
    RawSyscall(SYS_capset, &none.header, none.sets);
  }
  return LockIn(helper) || !privileged;
}

void RightsWatch::Open(pid_t process) noexcept {
  char path[32] = "/proc/";
  char digits[12];
  size_t count = 0;
  for (pid_t left = process; left > 0; left /= 10) {
    digits[count++] = static_cast<char>('0' + left % 10);
  }
  char* at = path + 6;
  while (count > 0) *at++ = digits[--count];
  for (const char* tail = "/status"; *tail != '\0'; ++tail) *at++ = *tail;
  *at = '\0';
  status_ = static_cast<int>(RawSyscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0));
  if (status_ >= 0) rights_ = RightsIn(status_);
}

bool RightsWatch::Changed() const noexcept {
  if (rights_ == 0) return false;
  const uint64_t now = RightsIn(status_);
  return now != 0 && now != rights_;
}

}  // namespace heapgauge
