#include "cli/child.h"

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cerrno>
#include <functional>
#include <string>

#include "unit/report/temp_directory.h"

namespace heapgauge::cli {
namespace {

// RunChild() is for a process of its own: it is called in a fork, whose wait status comes back.
int InFork(const std::function<void()>& work) {
  const pid_t pid = fork();
  if (pid == 0) {
    work();
    _exit(99);
  }
  int status = 0;
  waitpid(pid, &status, 0);
  return status;
}

ChildPlan Shell(const std::string& script) {
  return {"/bin/sh", {"sh", "-c", script}, {"PATH=/usr/bin:/bin"}, {}};
}

int RunShell(const std::string& script) {
  return InFork([&] { _exit(EndLike(RunChild(Shell(script)).wait_status)); });
}

TEST_CASE("the child's end is ours: status or signal", "[cli][child]") {
  CHECK(WEXITSTATUS(RunShell("exit 0")) == 0);
  CHECK(WEXITSTATUS(RunShell("exit 37")) == 37);
  for (const int number : {SIGTERM, SIGKILL, SIGABRT, SIGUSR1}) {
    const int status = RunShell("kill -" + std::to_string(number) + " $$");
    CHECK(WIFSIGNALED(status));
    CHECK(WTERMSIG(status) == number);
    CHECK_FALSE(WCOREDUMP(status));
  }
}

TEST_CASE("the child is started with our own signal mask and dispositions", "[cli][child]") {
  const TempDirectory temp;
  InFork([&] {
    signal(SIGCHLD, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    // Not through a shell, which sets up signals of its own.
    RunChild({"/usr/bin/dd",
              {"dd", "if=/proc/self/status", "of=" + (temp / "status"), "status=none"},
              {},
              {}});
    _exit(0);
  });
  const std::string status = temp.Read("status");
  CHECK(status.find("SigBlk:\t0000000000000000") != std::string::npos);
  CHECK(status.find("SigIgn:\t0000000000010001") !=
        std::string::npos);  // SIGCHLD, SIGHUP; no SIGPIPE of ours
}

TEST_CASE("a signal sent to us reaches the child, which decides", "[cli][child]") {
  const TempDirectory temp;
  for (const int number : {SIGTERM, SIGHUP, SIGINT, SIGUSR2, SIGRTMIN + 3}) {
    INFO(number);
    const std::string ready = temp / ("ready" + std::to_string(number));
    const std::string signal_name = std::to_string(number);
    const pid_t pid = fork();
    if (pid == 0) {
      _exit(EndLike(RunChild(Shell("trap 'exit 42' " + signal_name + "; : > '" + ready +
                                   "'; for i in 1 2 3 4 5 6 7 8 9; do sleep 0.5; done"))
                        .wait_status));
    }
    for (int i = 0; i < 1000 && access(ready.c_str(), F_OK) != 0; ++i) usleep(10000);
    kill(pid, number);
    int status = 0;
    waitpid(pid, &status, 0);
    CHECK(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 42);
  }
}

TEST_CASE("what cannot be started says why", "[cli][child]") {
  const TempDirectory temp;
  const auto error_of = [](const std::string& path) {
    return WEXITSTATUS(InFork([&] {
      ChildPlan plan = Shell("");
      plan.path = path;
      _exit(RunChild(plan).start_error);
    }));
  };
  CHECK(error_of(temp / "none") == ENOENT);
  const std::string binary = temp.Write("binary", std::string("\0\1\2", 3));
  chmod(binary.c_str(), 0755);
  CHECK(error_of(binary) == ENOEXEC);
}

TEST_CASE("preparation runs in the child and reports back", "[cli][child]") {
  const int status = InFork([] {
    ChildPlan plan = Shell("test \"$MINE\" = $$");  // the pid that prepare() saw is the program's
    plan.prepare = [](std::vector<std::string>* environment) {
      environment->push_back("MINE=" + std::to_string(getpid()));
      return std::to_string(getpid());
    };
    const ChildEnd end = RunChild(plan);
    _exit(end.prepared == std::to_string(end.pid) && end.wait_status == 0 ? 0 : 1);
  });
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
}

TEST_CASE("if we are killed the child dies too", "[cli][child]") {
  const TempDirectory temp;
  const std::string file = temp / "pid";
  const pid_t pid = fork();
  if (pid == 0) {
    RunChild(Shell("echo $$ > '" + file + ".new' && mv '" + file + ".new' '" + file +
                   "'; exec sleep 60"));
    _exit(0);
  }
  for (int i = 0; i < 1000 && access(file.c_str(), F_OK) != 0; ++i) usleep(10000);
  kill(pid, SIGKILL);
  waitpid(pid, nullptr, 0);
  const pid_t grandchild = std::stoi(temp.Read("pid"));
  const auto gone = [&] {
    std::string stat;
    std::getline(std::ifstream("/proc/" + std::to_string(grandchild) + "/stat"), stat);
    return stat.empty() || stat.find(") Z ") != std::string::npos;
  };
  for (int i = 0; i < 500 && !gone(); ++i) usleep(10000);
  CHECK(gone());
}

}  // namespace
}  // namespace heapgauge::cli
