#include "cli/child.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>

#include "base/clock.h"
#include "base/whole_io.h"
#include "cli/program.h"
#include "cli/report_call.h"

namespace heapgauge::cli {
namespace {

// The signals that are somebody's business with CMD.  Not those that report a fault of our own
// (SIGSEGV, SIGABRT, ...) nor SIGPIPE; SIGCHLD tells about the child itself.
sigset_t Forwarded() {
  sigset_t set;
  sigemptyset(&set);
  for (const int number :
       {SIGHUP, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2, SIGALRM, SIGTERM, SIGCONT, SIGTSTP, SIGTTIN,
        SIGTTOU, SIGURG, SIGVTALRM, SIGWINCH, SIGIO, SIGPWR, SIGCHLD}) {
    sigaddset(&set, number);
  }
  for (int number = SIGRTMIN; number <= SIGRTMAX; ++number) sigaddset(&set, number);
  return set;
}

// How long a signal waits for reports, and how often it is looked whether they are there.
constexpr uint64_t kPatienceNs = 2'000'000'000;
constexpr timespec kLook{0, 5'000'000};
// One who sends it again and again is not to get a report each time.
constexpr uint64_t kAskAgainNs = 1'000'000'000;

// Those that end a program as a rule.  Its core file and its own dump come with SIGQUIT.
bool Ends(int number) { return number == SIGTERM || number == SIGINT || number == SIGHUP; }

bool IsTerminalStop(int number) {
  return number == SIGTSTP || number == SIGTTIN || number == SIGTTOU;
}

std::vector<char*> Pointers(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  pointers.reserve(strings.size() + 1);
  for (const std::string& string : strings) pointers.push_back(const_cast<char*>(string.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

// As execvp does: a file of no known format is a shell script.
void Exec(const ChildPlan& plan, const std::vector<std::string>& environment) {
  const std::vector<char*> arguments = Pointers(plan.arguments);
  const std::vector<char*> variables = Pointers(environment);
  execve(plan.path.c_str(), arguments.data(), variables.data());
  if (errno != ENOEXEC) return;
  if (!IsShellScript(plan.path)) {
    errno = ENOEXEC;
    return;
  }
  std::vector<std::string> script = {"/bin/sh", plan.path};
  script.insert(script.end(), plan.arguments.begin() + 1, plan.arguments.end());
  execve("/bin/sh", Pointers(script).data(), variables.data());
  errno = ENOEXEC;
}

// The child's word to us: what prepare() returned, then a NUL, then errno if exec failed.  The pipe
// closes on exec.
std::string ReadWord(int fd) {
  std::string text;
  ReadAll(fd, SIZE_MAX - 1, &text);  // what has come of it counts
  return text;
}

struct Inherited {
  sigset_t mask;
  struct sigaction on_child;
};

[[noreturn]] void BecomeChild(const ChildPlan& plan, const Inherited& inherited, pid_t parent,
                              int pipe) {
  // SIGKILL can't be sent on; without this the program would outlive a killed wrapper, and nobody
  // would know.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(1);  // died before the line above
  std::vector<std::string> environment = plan.environment;
  if (plan.prepare) WriteAll(pipe, plan.prepare(&environment));
  WriteAll(pipe, std::string(1, '\0'));
  sigaction(SIGCHLD, &inherited.on_child, nullptr);
  sigprocmask(SIG_SETMASK, &inherited.mask, nullptr);
  Exec(plan, environment);
  WriteAll(pipe, std::to_string(errno));
  _exit(1);
}

// Everything between the child's start and its end.
class Wait final {
 public:
  Wait(pid_t child, const sigset_t& signals, ReportCall* call, const std::function<void()>& look)
      : child_(child), signals_(signals), call_(*call), look_(look) {}

  int UntilEnd() {
    while (!ended_) {
      if (waits_ && (call_.Answered() || MonotonicNs() >= deadline_ns_)) LetGo();
      siginfo_t info{};
      if (Next(&info) < 0) {  // EAGAIN; EINTR: a signal outside the set, or a debugger
        if (look_) look_();
        continue;
      }
      if (info.si_signo == SIGCHLD) {
        Reap();
      } else {
        Forward(info);
      }
      StopIfChildStopped();
    }
    return status_;
  }

 private:
  int Next(siginfo_t* info) const {
    constexpr timespec kPause = {0, 500'000'000};
    if (waits_) return sigtimedwait(&signals_, info, &kLook);
    return look_ ? sigtimedwait(&signals_, info, &kPause) : sigwaitinfo(&signals_, info);
  }

  void Reap() {
    int status = 0;
    for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG | WUNTRACED | WCONTINUED)) > 0;) {
      if (pid != child_)
        continue;  // an orphan that came to us because we are the container's first process
      if (WIFSTOPPED(status)) {
        child_stopped_ = IsTerminalStop(WSTOPSIG(status));
      } else if (WIFCONTINUED(status)) {
        child_stopped_ = false;
      } else {
        ended_ = true;
        status_ = status;
        return;
      }
    }
  }

  void Forward(const siginfo_t& info) {
    const bool sent =
        info.si_code == SI_USER || info.si_code == SI_QUEUE || info.si_code == SI_TKILL;
    // A hangup of the terminal reaches the session's leader alone.
    const bool leader_hangup = info.si_signo == SIGHUP && !sent && getsid(0) == getpid();
    if (IsTerminalStop(info.si_signo)) stop_wanted_ = true;
    if (!sent && !leader_hangup) return;
    if (Ends(info.si_signo)) {
      if (waits_) {
        LetGo();  // and this one too, at once
      } else if (MonotonicNs() >= ask_again_ns_ && call_.Ask(info.si_signo)) {
        waits_ = true;
        waiting_ = info;
        deadline_ns_ = MonotonicNs() + kPatienceNs;
        return;
      }
    }
    Send(info);
  }

  void Send(const siginfo_t& info) const {
    if (info.si_code == SI_QUEUE) {
      sigqueue(child_, info.si_signo, info.si_value);
    } else {
      kill(child_, info.si_signo);
    }
  }

  // The signal that waited for reports goes on.
  void LetGo() {
    waits_ = false;
    ask_again_ns_ = MonotonicNs() + kAskAgainNs;
    Send(waiting_);
  }

  // ^Z stops the whole job only if the child agrees: one that catches it runs on, and so do we.
  void StopIfChildStopped() {
    if (ended_ || !stop_wanted_ || !child_stopped_) return;
    stop_wanted_ = false;
    child_stopped_ = false;
    raise(SIGSTOP);
    // What made us go on waits for us, and is passed on here: to be sure, for it may have been sent
    // to us alone, and not once more by Forward().
    sigset_t go_on;
    sigemptyset(&go_on);
    sigaddset(&go_on, SIGCONT);
    const timespec now{};
    sigtimedwait(&go_on, nullptr, &now);
    kill(child_, SIGCONT);
  }

  pid_t child_;
  sigset_t signals_;
  ReportCall& call_;
  const std::function<void()>& look_;
  bool waits_ = false;
  siginfo_t waiting_{};
  uint64_t deadline_ns_ = 0;
  uint64_t ask_again_ns_ = 0;
  bool stop_wanted_ = false;
  bool child_stopped_ = false;
  bool ended_ = false;
  int status_ = 0;
};

}  // namespace

ChildEnd RunChild(const ChildPlan& plan) {
  ChildEnd end;
  const sigset_t signals = Forwarded();
  Inherited inherited{};
  sigprocmask(SIG_BLOCK, &signals, &inherited.mask);
  // Whoever started us may ignore SIGCHLD, and then waitpid would find nobody.
  struct sigaction standard {};
  standard.sa_handler = SIG_DFL;
  sigaction(SIGCHLD, &standard, &inherited.on_child);

  ReportCall call;
  int pipes[2] = {-1, -1};
  const pid_t self = getpid();
  if (pipe2(pipes, O_CLOEXEC) != 0 || (end.pid = fork()) < 0) {
    end.start_error = errno;
    return end;
  }
  if (end.pid == 0) {
    close(pipes[0]);
    BecomeChild(plan, inherited, self, pipes[1]);
  }
  close(pipes[1]);
  const std::string word = ReadWord(pipes[0]);
  close(pipes[0]);
  const size_t separator = word.find('\0');
  end.prepared = word.substr(0, separator);
  if (separator != std::string::npos && separator + 1 < word.size())
    end.start_error = std::stoi(word.substr(separator + 1));

  signal(SIGPIPE, SIG_IGN);  // a closed stderr must not change the exit status
  end.wait_status = Wait(end.pid, signals, &call, plan.look).UntilEnd();
  return end;
}

int EndLike(int wait_status) {
  if (WIFEXITED(wait_status)) return WEXITSTATUS(wait_status);
  const int number = WTERMSIG(wait_status);
  // The core file, if there is one, is CMD's.
  const struct rlimit none {};
  setrlimit(RLIMIT_CORE, &none);
  prctl(PR_SET_DUMPABLE, 0);
  signal(number, SIG_DFL);
  sigset_t only;
  sigemptyset(&only);
  sigaddset(&only, number);
  raise(number);
  sigprocmask(SIG_UNBLOCK, &only, nullptr);
  return 128 + number;  // the first process of a container survives its own signals
}

}  // namespace heapgauge::cli
