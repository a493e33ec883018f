#include "post/run_command.h"

#include <absl/strings/str_cat.h>
#include <absl/strings/str_split.h>
#include <absl/strings/strip.h>
#include <fmt/core.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string_view>

#include "base/pause.h"
#include "helper/preload_list.h"

namespace heapgauge::post {
namespace {

using Clock = std::chrono::steady_clock;

std::vector<char*> Pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

// In the child, between fork and exec.
[[noreturn]] void BecomeCommand(const AlertRequest& request, int event,
                                std::vector<char*>& environment) {
  setpgid(0, 0);
  dup2(event, STDIN_FILENO);
  // Where it can't be had, the command runs in /.
  const std::string directory = fmt::format("/proc/{}/cwd", request.host_pid);
  [[maybe_unused]] const int there = chdir(directory.c_str());
  std::vector<std::string> words = {"/bin/sh", "-c", request.exec};
  execve(words[0].c_str(), Pointers(words).data(), environment.data());
  _exit(127);
}

// Wait status of the child, or -1 after it had to be killed.
int Await(pid_t child, std::chrono::milliseconds limit) {
  const auto deadline = Clock::now() + limit;
  int status = 0;
  while (waitpid(child, &status, WNOHANG) == 0) {
    if (Clock::now() >= deadline) {
      kill(-child, SIGKILL);
      kill(child, SIGKILL);
      waitpid(child, &status, 0);
      return -1;
    }
    PauseFor(5'000'000);
  }
  return status;
}

std::string RunOnce(const AlertRequest& request, const std::string& event,
                    std::vector<char*>& environment) {
  // A file without a name and not a pipe: a command that reads nothing must not hold us up.
  const int input = memfd_create("alert", MFD_CLOEXEC);
  if (input < 0) return fmt::format("no file for the alert: {}", std::strerror(errno));
  const std::string line = event + "\n";
  const bool filled = write(input, line.data(), line.size()) == static_cast<ssize_t>(line.size()) &&
                      lseek(input, 0, SEEK_SET) == 0;
  const pid_t child = filled ? fork() : -1;
  if (child == 0) BecomeCommand(request, input, environment);
  close(input);
  if (child < 0) return fmt::format("no process for '{}'", request.exec);
  const int status = Await(child, std::chrono::milliseconds(request.exec_limit_ms));
  if (status == -1) {
    return fmt::format("'{}' took longer than {} s and was killed", request.exec,
                       request.exec_limit_ms / 1000);
  }
  if (WIFSIGNALED(status)) {
    return fmt::format("'{}' was ended by signal {}", request.exec, WTERMSIG(status));
  }
  return WEXITSTATUS(status) == 0
             ? std::string()
             : fmt::format("'{}' ended with status {}", request.exec, WEXITSTATUS(status));
}

}  // namespace

std::vector<std::string> EnvironmentForCommand(const std::string& environ_text) {
  std::vector<std::string> environment;
  for (std::string entry :
       std::vector<std::string>(absl::StrSplit(environ_text, '\0', absl::SkipEmpty()))) {
    if (entry.starts_with("HEAPGAUGE_")) continue;
    constexpr char kPreload[] = "LD_PRELOAD=";
    if (absl::string_view list = entry; absl::ConsumePrefix(&list, kPreload)) {
      const std::string kept = WithoutLibrary({list.data(), list.size()}, "");
      if (kept.empty()) continue;
      entry = absl::StrCat(kPreload, kept);
    }
    if (entry.find('=') != std::string::npos) environment.push_back(std::move(entry));
  }
  return environment;
}

std::string RunAlertCommand(const AlertRequest& request) {
  std::ifstream file(fmt::format("/proc/{}/environ", request.host_pid), std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  std::vector<std::string> environment = EnvironmentForCommand(text);
  if (environment.empty()) environment = {"PATH=/usr/local/bin:/usr/bin:/bin"};
  std::vector<char*> pointers = Pointers(environment);
  std::string problem;
  for (const std::string& event : request.events) {
    const std::string once = RunOnce(request, event, pointers);
    if (problem.empty()) problem = once;
  }
  return problem;
}

}  // namespace heapgauge::post
