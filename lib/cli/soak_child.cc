#include "cli/soak_child.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <map>

#include "base/proc_stat.h"
#include "base/whole_io.h"
#include "report/printable.h"

namespace heapgauge::cli {
namespace {

constexpr size_t kLastLines = 20;
constexpr size_t kLongestLine = 4096;

std::vector<char*> Pointers(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (const std::string& string : strings) pointers.push_back(const_cast<char*>(string.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

[[noreturn]] void Become(const SoakCommandLine& command, const sigset_t& mask, pid_t parent,
                         int output, int word) {
  // What it starts itself is told by us, as long as we live; killed, we can't.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(1);  // died before the line above
  setpgid(0, 0);
  const int none = open("/dev/null", O_RDONLY);
  dup2(none, STDIN_FILENO);
  dup2(output, STDOUT_FILENO);
  dup2(output, STDERR_FILENO);
  if (none > STDERR_FILENO) close(none);
  std::vector<std::string> environment = command.environment;
  if (command.prepare) command.prepare(&environment);
  for (int number = 1; number < NSIG; ++number) signal(number, SIG_DFL);
  sigprocmask(SIG_SETMASK, &mask, nullptr);
  const std::vector<char*> arguments = Pointers(command.arguments);
  const std::vector<char*> variables = Pointers(environment);
  execve(command.path.c_str(), arguments.data(), variables.data());
  if (errno == ENOEXEC) {  // as execvp does: a script without a first line
    std::vector<std::string> script = {"/bin/sh", command.path};
    script.insert(script.end(), command.arguments.begin() + 1, command.arguments.end());
    execve("/bin/sh", Pointers(script).data(), variables.data());
  }
  const int failure = errno;
  WriteAll(word, {reinterpret_cast<const char*>(&failure), sizeof(failure)});
  _exit(127);
}

}  // namespace

void SoakLog::Open(const std::string& path) {
  file_ = Descriptor(AboveStandard(
      open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600)));
}

void SoakLog::TakeLine() {
  if (on_line) on_line(line_);
  if (!line_.empty()) last_.push_back(line_);
  if (last_.size() > kLastLines) last_.pop_front();
  line_.clear();
}

void SoakLog::Take(std::string_view bytes) {
  if (file_.valid() && written_ < kMostBytes) {
    // A full disk costs the log alone.
    if (!WriteAll(file_.get(), bytes)) file_ = Descriptor();
    written_ += bytes.size();
  }
  for (const char c : bytes) {
    if (c == '\n') {
      TakeLine();
    } else if (c != '\r') {
      line_ += c;
      if (line_.size() >= kLongestLine) TakeLine();
    } else if (!line_.empty()) {
      TakeLine();  // a progress bar
    }
  }
}

std::string SoakLog::LastLines(size_t most) const {
  std::string text;
  size_t skip = last_.size() > most ? last_.size() - most : 0;
  for (const std::string& line : last_) {
    if (skip > 0) {
      --skip;
      continue;
    }
    text += "  | " + CutEnd(Printable(line), 200) + "\n";
  }
  if (!line_.empty()) text += "  | " + CutEnd(Printable(line_), 200) + "\n";
  return text;
}

bool SoakChild::Start(const SoakCommandLine& command, const sigset_t& mask, SoakLog* log,
                      int* start_error) {
  int output[2] = {-1, -1};
  int word[2] = {-1, -1};
  if (pipe2(output, O_CLOEXEC) != 0) {
    *start_error = errno;
    return false;
  }
  const Descriptor read_end(AboveStandard(output[0]));
  Descriptor write_end(AboveStandard(output[1]));
  if (pipe2(word, O_CLOEXEC) != 0) {
    *start_error = errno;
    return false;
  }
  const Descriptor word_end(AboveStandard(word[0]));
  Descriptor word_from(AboveStandard(word[1]));
  const pid_t self = getpid();
  const pid_t pid = fork();
  if (pid < 0) {
    *start_error = errno;
    return false;
  }
  if (pid == 0) Become(command, mask, self, write_end.get(), word_from.get());
  setpgid(pid, pid);  // whoever comes first
  pid_ = pid;
  log_ = log;
  ended_ = false;
  { const Descriptor closed = std::move(write_end); }
  { const Descriptor closed = std::move(word_from); }
  int failure = 0;
  std::string text;
  ReadAll(word_end.get(), sizeof(failure), &text);
  if (text.size() == sizeof(failure)) {
    std::memcpy(&failure, text.data(), sizeof(failure));
    int status = 0;
    waitpid(pid, &status, 0);
    pid_ = 0;
    *start_error = failure;
    return false;
  }
  output_ = Descriptor(fcntl(read_end.get(), F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
  fcntl(output_.get(), F_SETFL, O_NONBLOCK);
  return true;
}

void SoakChild::Read() {
  char piece[16 * 1024];
  while (output_.valid()) {
    const ssize_t got = read(output_.get(), piece, sizeof(piece));
    if (got > 0) {
      log_->Take({piece, static_cast<size_t>(got)});
    } else if (got < 0 && errno == EINTR) {
      continue;
    } else {
      if (got == 0 || errno != EAGAIN) output_ = Descriptor();
      return;
    }
  }
}

void SoakChild::Signal(int number) const {
  if (pid_ <= 0) return;
  if (kill(-pid_, number) != 0 && !ended_) kill(pid_, number);
}

std::string EndInWords(int wait_status) {
  if (WIFSIGNALED(wait_status)) {
    return fmt::format("signal {} ({})", WTERMSIG(wait_status), strsignal(WTERMSIG(wait_status)));
  }
  return fmt::format("exit status {}", WEXITSTATUS(wait_status));
}

namespace {

std::multimap<pid_t, pid_t> Families() {
  std::multimap<pid_t, pid_t> families;
  DIR* const listing = opendir("/proc");
  if (listing == nullptr) return families;
  while (const dirent* const entry = readdir(listing)) {
    const auto pid = static_cast<pid_t>(std::strtol(entry->d_name, nullptr, 10));
    if (pid <= 0) continue;
    const Descriptor file(open(fmt::format("/proc/{}/stat", pid).c_str(), O_RDONLY | O_CLOEXEC));
    std::string stat;
    if (!file.valid() || !ReadAll(file.get(), 4096, &stat)) continue;
    if (*StatField(stat.c_str(), kStateField) == 'Z') continue;
    families.emplace(ParentInStat(stat.c_str()), pid);
  }
  closedir(listing);
  return families;
}

void AddBelow(const std::multimap<pid_t, pid_t>& families, pid_t parent, int depth,
              std::vector<pid_t>* found) {
  if (depth > 64) return;
  const auto [begin, end] = families.equal_range(parent);
  for (auto it = begin; it != end; ++it) {
    found->push_back(it->second);
    AddBelow(families, it->second, depth + 1, found);
  }
}

}  // namespace

std::vector<pid_t> ChildrenOf(pid_t parent) {
  const std::multimap<pid_t, pid_t> families = Families();
  std::vector<pid_t> found;
  const auto [begin, end] = families.equal_range(parent);
  for (auto it = begin; it != end; ++it) found.push_back(it->second);
  return found;
}

std::vector<pid_t> DescendantsOf(pid_t parent) {
  std::vector<pid_t> found;
  AddBelow(Families(), parent, 0, &found);
  return found;
}

}  // namespace heapgauge::cli
