#include "cli/soak_run.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <cstring>

#include "base/clock.h"
#include "base/proc_stat.h"
#include "base/whole_io.h"
#include "cli/soak_load.h"
#include "cli/soak_ready.h"
#include "report/printable.h"
#include "report/units.h"

namespace heapgauge::cli {
namespace {

constexpr double kLook = 0.1;           // s: how often it is looked whether SERVICE is up
constexpr double kListenPatience = 10;  // s: for a SERVICE that may never listen
constexpr double kDaemonPatience = 0.2;
constexpr double kDaemonLimit = 10;  // s: what ends later has died
constexpr double kReadEvery = 0.5;
constexpr double kProgressEvery = 1;

// Of those that are taken.
const char* NameOf(int signal) {
  return signal == SIGINT    ? "SIGINT"
         : signal == SIGTERM ? "SIGTERM"
         : signal == SIGHUP  ? "SIGHUP"
                             : "SIGQUIT";
}

std::string ReadProc(pid_t pid, const char* name) {
  const Descriptor file(open(fmt::format("/proc/{}/{}", pid, name).c_str(), O_RDONLY | O_CLOEXEC));
  std::string text;
  if (file.valid()) ReadAll(file.get(), 4096, &text);
  return text;
}

}  // namespace

SoakRun::SoakRun(const SoakRequest& request, SoakCommandLine service, SoakCommandLine load,
                 const std::string& directory)
    : request_(request),
      service_line_(std::move(service)),
      load_line_(std::move(load)),
      directory_(directory),
      reports_(directory),
      first_ns_(MonotonicNs()) {
  sigset_t taken;
  sigemptyset(&taken);
  for (const int number : {SIGCHLD, SIGINT, SIGTERM, SIGHUP, SIGQUIT}) sigaddset(&taken, number);
  sigprocmask(SIG_BLOCK, &taken, &old_mask_);
  signal(SIGCHLD,
         SIG_DFL);  // whoever started us may ignore it, and then nobody could be waited for
  signal(SIGPIPE, SIG_IGN);
  signals_ = Descriptor(AboveStandard(signalfd(-1, &taken, SFD_CLOEXEC | SFD_NONBLOCK)));
  // What puts itself into the background stays below us.
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  service_log_.Open(directory + "/service.log");
  load_log_.Open(directory + "/load.log");
  service_log_.on_line = [this](const std::string& line) {
    if (request_.wait == SoakWait::kLine && line.find(request_.wait_for) != std::string::npos)
      line_seen_ = true;
  };
  load_log_.on_line = [this](const std::string& line) {
    if (const auto requests = RequestsIn(line)) requests_of_run_ += *requests;
  };
}

SoakRun::~SoakRun() = default;

double SoakRun::now_s() const { return static_cast<double>(MonotonicNs() - first_ns_) * 1e-9; }

void SoakRun::Fail(SoakEnd end, std::string sentence, std::string output) {
  if (WentWrong()) return;
  course_.end = end;
  course_.sentence = std::move(sentence);
  course_.output = std::move(output);
}

// ---- What comes in

void SoakRun::TakeSignals() {
  signalfd_siginfo info{};
  while (read(signals_.get(), &info, sizeof(info)) == static_cast<ssize_t>(sizeof(info))) {
    if (info.ssi_signo == SIGCHLD) continue;
    if (++interrupts_ == 1) interrupted_by_ = static_cast<int>(info.ssi_signo);
    if (!stopping_) FailInterrupted();
  }
  Reap();
}

void SoakRun::FailInterrupted() {
  Fail(SoakEnd::kInterrupted,
       fmt::format("interrupted by {} after {}", NameOf(interrupted_by_), FormatDuration(now_s())));
}

void SoakRun::FailServiceEnded() {
  Fail(SoakEnd::kServiceDied,
       fmt::format("SERVICE ended by itself after {}: {}", FormatDuration(now_s() - began_s_),
                   EndInWords(root_status_)),
       service_log_.LastLines());
}

void SoakRun::Reap() {
  int status = 0;
  for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
    if (pid == service_.pid()) service_.Ended(status);
    if (waiter_ && pid == waiter_->pid()) waiter_->Ended(status);
    for (SoakChild& load : loads_) {
      if (pid == load.pid()) load.Ended(status);
    }
    const auto root = std::find(roots_.begin(), roots_.end(), pid);
    if (root == roots_.end()) continue;
    roots_.erase(root);
    root_status_ = status;
    service_.Read();
    if (roots_.empty() && !stopping_) {
      const bool young = !loading_ || now_s() - began_s_ < kDaemonLimit;
      if (young && WIFEXITED(status) && WEXITSTATUS(status) == 0) FollowDaemon();
      if (roots_.empty()) FailServiceEnded();
    }
  }
}

// Its first process has ended well, and early: it lives on in those that came to us.
void SoakRun::FollowDaemon() {
  roots_ = ChildrenOf(getpid());
  std::erase_if(roots_, [this](pid_t pid) {
    const pid_t group = getpgid(pid);
    return pid == service_.pid() || (waiter_ && group == waiter_->pid()) ||
           std::any_of(loads_.begin(), loads_.end(),
                       [&](const SoakChild& load) { return group == load.pid(); });
  });
  if (roots_.empty()) return;
  course_.notes.push_back(
      fmt::format("SERVICE put itself into the background; it was followed there (process {})",
                  roots_.front()));
}

void SoakRun::Progress() {
  const double now = now_s();
  if (now >= next_read_s_ && began_s_ > 0) {
    reports_.Read(now);
    next_read_s_ = now_s() + kReadEvery;
  }
  if (on_progress && now >= next_progress_s_) {
    next_progress_s_ = now + kProgressEvery;
    on_progress(phase_, phase_end_s_ < 0 ? -1 : std::max(0.0, phase_end_s_ - now));
  }
}

void SoakRun::PollOnce(double until_s) {
  Progress();
  std::vector<pollfd> wait = {{signals_.get(), POLLIN, 0}};
  const auto add = [&wait](const SoakChild& child) {
    if (child.output() >= 0) wait.push_back({child.output(), POLLIN, 0});
  };
  add(service_);
  if (waiter_) add(*waiter_);
  for (const SoakChild& load : loads_) add(load);
  double next = std::min(until_s, now_s() + kReadEvery);
  if (on_progress) next = std::min(next, next_progress_s_ + 0.01);
  const double ms = std::clamp((next - now_s()) * 1000, 0.0, 1000.0);
  poll(wait.data(), wait.size(), static_cast<int>(std::ceil(ms)));
  service_.Read();
  if (waiter_) waiter_->Read();
  for (SoakChild& load : loads_) load.Read();
  TakeSignals();
  if (loading_) TakeLoadEnds();
}

bool SoakRun::PollUntil(double time_s, const Condition& condition) {
  for (;;) {
    if (condition && condition()) return true;
    if (!stopping_ && WentWrong()) return false;
    if (now_s() >= time_s) return false;
    PollOnce(std::min(time_s, now_s() + (condition ? kLook : 1)));
  }
}

// ---- SERVICE

bool SoakRun::StartService() {
  if (!service_.Start(service_line_, old_mask_, &service_log_, &course_.start_error)) {
    Fail(SoakEnd::kServiceDied, fmt::format("SERVICE cannot be run: {}: {}", service_line_.path,
                                            std::strerror(course_.start_error)));
    return false;
  }
  began_s_ = std::max(now_s(), 1e-9);
  roots_ = {service_.pid()};
  return true;
}

std::vector<pid_t> SoakRun::ServiceProcesses() const {
  std::vector<pid_t> found;
  for (const pid_t root : roots_) {
    found.push_back(root);
    const std::vector<pid_t> below = DescendantsOf(root);
    found.insert(found.end(), below.begin(), below.end());
  }
  return found;
}

bool SoakRun::IsUp() {
  switch (request_.wait) {
    case SoakWait::kPort:
      return AcceptsConnections(request_.wait_for);
    case SoakWait::kLine:
      return line_seen_;
    case SoakWait::kListens:
      return Listens(ServiceProcesses());
    case SoakWait::kCommand:
      break;
  }
  if (waiter_ && !waiter_->ended()) return false;
  if (waiter_ && waiter_->wait_status() == 0) return true;
  SoakCommandLine line = load_line_;
  line.arguments = {"sh", "-c", request_.wait_for};
  waiter_.emplace();
  int error = 0;
  if (!waiter_->Start(line, old_mask_, &wait_log_, &error)) waiter_.reset();
  return false;
}

void SoakRun::WaitUp() {
  phase_ = "waiting for SERVICE";
  const bool guess = request_.wait == SoakWait::kListens;
  const double patience =
      guess ? std::min(kListenPatience, request_.wait_limit_s) : request_.wait_limit_s;
  phase_end_s_ = now_s() + patience;
  bool up = false;
  while (!up && !WentWrong() && now_s() < phase_end_s_) {
    up = IsUp();
    if (!up) PollUntil(std::min(phase_end_s_, now_s() + kLook), nullptr);
  }
  if (waiter_) {
    waiter_->Signal(SIGKILL);
    PollUntil(now_s() + 1, [this] { return waiter_->ended(); });
    waiter_.reset();
  }
  if (WentWrong()) return;
  if (!up && !guess) {
    const char* const what = request_.wait == SoakWait::kPort   ? "--wait-port"
                             : request_.wait == SoakWait::kLine ? "--wait-line"
                                                                : "--wait-command";
    std::string output = service_log_.LastLines();
    if (request_.wait == SoakWait::kCommand) output += wait_log_.LastLines();
    return Fail(
        SoakEnd::kNotUp,
        fmt::format("SERVICE did not come up within {} ({} {})",
                    FormatDuration(request_.wait_limit_s), what, Printable(request_.wait_for)),
        output);
  }
  if (!up) {
    course_.notes.push_back(
        fmt::format("SERVICE listens nowhere after {}; LOAD was started all the same (--wait-port, "
                    "--wait-line or --wait-command says when it is up)",
                    FormatDuration(patience)));
  }
  // One that goes into the background does it about now.
  PollUntil(now_s() + kDaemonPatience, nullptr);
}

double SoakRun::ServiceRss() const {
  double pages = 0;
  for (const pid_t pid : ServiceProcesses()) {
    const std::string statm = ReadProc(pid, "statm");
    const size_t space = statm.find(' ');
    if (space != std::string::npos) pages += std::strtod(statm.c_str() + space, nullptr);
  }
  return pages * static_cast<double>(sysconf(_SC_PAGESIZE));
}

double SoakRun::ServiceCpu() const {
  double ticks = 0;
  for (const pid_t pid : ServiceProcesses()) {
    const std::string stat = ReadProc(pid, "stat");
    for (int field = 14; field <= 17; ++field)  // its own and that of children it waited for
      ticks += std::strtod(StatField(stat.c_str(), field), nullptr);
  }
  return ticks / static_cast<double>(sysconf(_SC_CLK_TCK));
}

void SoakRun::AskReports(int signal_number, double patience_s) {
  if (!call_.Ask(signal_number)) return reports_.Read(now_s());
  const double until = now_s() + patience_s;
  while (!call_.Answered() && now_s() < until && (stopping_ || !WentWrong() || patience_s <= 3))
    PollOnce(now_s() + 0.01);
  reports_.Read(now_s());
}

// ---- LOAD

SoakCourse SoakRun::Run() {
  if (StartService()) WaitUp();
  if (!WentWrong()) {
    if (request_.iterations > 0) {
      Iterate();
    } else {
      LoadFor();
    }
  }
  if (course_.to_s == 0) course_.to_s = course_.from_s = now_s();
  course_.alive = ServiceProcesses();
  return course_;
}

// ---- The end

bool SoakRun::Wait(const char* phase, double until_s, double seconds) {
  phase_ = phase;
  phase_end_s_ = until_s;
  const int before = interrupts_;
  const bool was_stopping = std::exchange(stopping_, true);  // nothing can go wrong any more
  PollUntil(std::min(until_s, now_s() + seconds), nullptr);
  stopping_ = was_stopping;
  return interrupts_ == before;
}

void SoakRun::SignalService(int number) {
  for (const pid_t root : roots_) kill(root, number);
}

void SoakRun::Stop(SoakCourse* course) {
  stopping_ = true;
  phase_ = "stopping SERVICE";
  phase_end_s_ = now_s() + request_.stop_limit_s;
  if (interrupts_ > 0) interrupts_ = 1;
  const auto gone = [this] { return roots_.empty() || interrupts_ > 1; };
  SignalService(SIGTERM);
  if (!PollUntil(phase_end_s_, gone) || !roots_.empty()) {
    if (!roots_.empty() && interrupts_ < 2) {
      course->notes.push_back(fmt::format("SERVICE did not end within {} of SIGTERM and was killed",
                                          FormatDuration(request_.stop_limit_s)));
    }
  } else if (course->end != SoakEnd::kServiceDied && WIFSIGNALED(root_status_) &&
             WTERMSIG(root_status_) != SIGTERM) {
    course->notes.push_back(
        fmt::format("SERVICE ended by {} when it was stopped", EndInWords(root_status_)));
  }
  // Workers whose master has gone, the shell's other children: a moment, then no more.
  std::vector<pid_t> left = DescendantsOf(getpid());
  if (roots_.empty()) {
    for (const pid_t pid : left) kill(pid, SIGTERM);
  }
  PollUntil(now_s() + 1, [] { return DescendantsOf(getpid()).empty(); });
  for (int i = 0; i < 50 && !(left = DescendantsOf(getpid())).empty(); ++i) {
    for (const pid_t pid : left) kill(pid, SIGKILL);
    PollUntil(now_s() + 0.02, nullptr);
  }
  service_.Read();
}

}  // namespace heapgauge::cli
