#include "dwarf/name_time.h"

#include <signal.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>

namespace heapgauge::dwarf {
namespace {

// Null unless a name is being read.
sigjmp_buf* volatile leave_name = nullptr;
volatile pid_t reader = 0;

pid_t ThisThread() { return static_cast<pid_t>(syscall(SYS_gettid)); }

void SetTimer(int milliseconds) {
  itimerval time = {};
  time.it_value.tv_usec = suseconds_t{1000} * milliseconds;
  setitimer(ITIMER_VIRTUAL, &time, nullptr);
}

void Leave(int signal) {
  if (leave_name == nullptr) return;
  if (ThisThread() != reader) {  // a library's thread, of those that fetch debug information
    const int before = errno;
    syscall(SYS_tgkill, getpid(), reader, signal);
    errno = before;
    return;
  }
  sigjmp_buf* const leave = leave_name;
  leave_name = nullptr;
  siglongjmp(*leave, symbolize::kNameTooSlow);
}

void Start(sigjmp_buf* leave) {
  static const bool handled = [] {
    struct sigaction action = {};
    action.sa_handler = Leave;
    return sigaction(SIGVTALRM, &action, nullptr) == 0;
  }();
  if (!handled) return;
  reader = ThisThread();
  leave_name = leave;
  SetTimer(kNameMilliseconds);
}

void End() {
  leave_name = nullptr;
  SetTimer(0);
}

}  // namespace

const symbolize::TimeForName kTimeForName = {Start, End};

}  // namespace heapgauge::dwarf
