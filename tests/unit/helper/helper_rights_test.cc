// What a host that gives its rights up leaves behind: no helper and no guardian with the old ones.
#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <map>
#include <thread>

#include "helper/helper_process.h"
#include "helper/running_helpers.h"
#include "unit/symbolize/fixtures.h"

namespace heapgauge::symbolize {
namespace {

using std::chrono::milliseconds;
using symbolize_test::FakeHelper;
using symbolize_test::TempDir;
using Outcome = HelperRun::Outcome;

constexpr milliseconds kLong{60'000};
constexpr uint64_t kPatienceNs = 20'000'000'000;

std::map<std::string, std::string> Status(pid_t process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/status");
  std::map<std::string, std::string> fields;
  for (std::string line; std::getline(file, line);) {
    const size_t colon = line.find(':');
    if (colon != std::string::npos && colon + 2 <= line.size()) {
      fields[line.substr(0, colon)] = line.substr(colon + 2);
    }
  }
  return fields;
}

// Of everything that is no zombie.
std::vector<pid_t> ChildrenOf(pid_t parent) {
  std::vector<pid_t> children;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const pid_t pid = atoi(entry.path().filename().c_str());
    if (pid <= 0) continue;
    auto fields = Status(pid);
    if (fields["PPid"] == std::to_string(parent) && fields["State"][0] != 'Z') {
      children.push_back(pid);
    }
  }
  return children;
}

struct Pair {
  pid_t guardian = 0;
  pid_t helper = 0;
};

// Once the helper is one of its own and the guardian has given up what it had.
Pair WaitForHelper(pid_t host, const std::string& name) {
  for (int i = 0; i < 2000; ++i) {
    for (const pid_t guardian : ChildrenOf(host)) {
      for (const pid_t helper : ChildrenOf(guardian)) {
        if (Status(helper)["Name"] == name && Status(guardian)["Seccomp"] == "2") {
          return {guardian, helper};
        }
      }
    }
    usleep(10'000);
  }
  return {};
}

bool Exists(pid_t process) {
  auto fields = Status(process);
  return !fields.empty() && fields["State"][0] != 'Z' && fields["State"][0] != 'X';
}

bool GoneSoon(pid_t process) {
  for (int i = 0; i < 2000 && Exists(process); ++i) usleep(5'000);
  return !Exists(process);
}

}  // namespace

TEST_CASE("a guardian keeps no right, and the host all of them", "[helper][rights]") {
  const TempDir directory;
  const std::string helper = FakeHelper(directory, "hang");
  auto before = Status(getpid());
  const int dumpable = prctl(PR_GET_DUMPABLE);
  std::thread asks([&] { RunHelper(helper, "x", kLong); });
  const Pair pair = WaitForHelper(getpid(), "hang");
  REQUIRE(pair.guardian > 0);
  auto guardian = Status(pair.guardian);
  for (const char* set : {"CapInh", "CapPrm", "CapEff", "CapAmb"}) {
    CHECK(guardian[set] == "0000000000000000");
  }
  CHECK(guardian["NoNewPrivs"] == "1");
  auto after = Status(getpid());
  for (const char* field : {"Uid", "Gid", "Groups", "CapPrm", "CapEff", "NoNewPrivs", "Seccomp"}) {
    CHECK(after[field] == before[field]);
  }
  CHECK(Status(pair.helper)["CapPrm"] == before["CapPrm"]);
  CHECK(Status(pair.helper)["NoNewPrivs"] == before["NoNewPrivs"]);
  CHECK(prctl(PR_GET_DUMPABLE) == dumpable);
  CHECK(EndHelpers(kPatienceNs));
  AllowHelpers();
  asks.join();
}

TEST_CASE("all helpers are ended at once, whatever they do, and none starts meanwhile",
          "[helper][rights]") {
  const TempDir directory;
  const std::string manner = GENERATE("hang", "hang_with_child", "stopped");
  const std::string name = manner == "stopped" ? "hang" : manner;
  const std::string helper = FakeHelper(directory, name);
  HelperRun run;
  std::thread asks([&] { run = RunHelper(helper, "x", kLong); });
  const Pair pair = WaitForHelper(getpid(), name);
  REQUIRE(pair.helper > 0);
  std::vector<pid_t> all = ChildrenOf(pair.helper);
  all.push_back(pair.helper);
  all.push_back(pair.guardian);
  if (manner == "stopped") kill(pair.helper, SIGSTOP);
  CHECK(EndHelpers(kPatienceNs));
  CHECK_FALSE(Exists(pair.guardian));
  asks.join();
  for (const pid_t process : all) CHECK(GoneSoon(process));
  CHECK(run.outcome == Outcome::kStopped);
  CHECK(RunHelper(helper, "x", kLong).outcome == Outcome::kStopped);
  CHECK(HelpersAreStopped());
  AllowHelpers();
  CHECK_FALSE(HelpersAreStopped());
  CHECK(RunHelper(FakeHelper(directory, "describe"), "x", kLong).outcome == Outcome::kEnded);
}

TEST_CASE("a host that its orphans come to sees none of it", "[helper][rights]") {
  const TempDir directory;
  const std::string helper = FakeHelper(directory, "hang");
  const bool stopped = GENERATE(false, true);
  static std::atomic<int> signals;  // relaxed: of this thread, or read when all is over
  signals.store(0, std::memory_order_relaxed);
  struct sigaction before = {};
  struct sigaction action = {};
  action.sa_handler = [](int) { signals.fetch_add(1, std::memory_order_relaxed); };
  sigaction(SIGCHLD, &action, &before);
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  std::thread asks([&] { RunHelper(helper, "x", kLong); });
  const Pair pair = WaitForHelper(getpid(), "hang");
  REQUIRE(pair.helper > 0);
  if (stopped) kill(pair.helper, SIGSTOP);
  CHECK(EndHelpers(kPatienceNs));
  AllowHelpers();
  asks.join();
  CHECK(GoneSoon(pair.helper));
  errno = 0;
  CHECK(waitpid(-1, nullptr, WNOHANG) == -1);
  CHECK(errno == ECHILD);
  prctl(PR_SET_CHILD_SUBREAPER, 0);
  sigaction(SIGCHLD, &before, nullptr);
  CHECK(signals.load(std::memory_order_relaxed) == 0);
}

TEST_CASE("with nothing running there is nothing to wait for", "[helper][rights]") {
  CHECK(EndHelpers(0));
  CHECK(EndHelpers(0));
  AllowHelpers();
  CHECK(HelpersAreStopped());
  AllowHelpers();
  CHECK_FALSE(HelpersAreStopped());
}

TEST_CASE("a fork's child does not wait for its parent's helpers", "[helper][rights]") {
  const TempDir directory;
  const std::string helper = FakeHelper(directory, "hang");
  std::thread asks([&] { RunHelper(helper, "x", kLong); });
  REQUIRE(WaitForHelper(getpid(), "hang").helper > 0);
  const pid_t child = fork();
  if (child == 0) _exit(EndHelpers(0) ? 0 : 1);
  int status = -1;
  waitpid(child, &status, 0);
  CHECK(status == 0);
  CHECK(EndHelpers(kPatienceNs));
  AllowHelpers();
  asks.join();
}

TEST_CASE("a request reaches its helper where no file may grow", "[helper][rights]") {
  const TempDir directory;
  const std::string count = directory / "count";
  std::ofstream(count) << "#!/bin/sh\nexec wc -c\n";
  std::filesystem::permissions(count, std::filesystem::perms::owner_all);
  rlimit before;
  REQUIRE(getrlimit(RLIMIT_FSIZE, &before) == 0);
  const rlimit none = {0, before.rlim_max};
  setrlimit(RLIMIT_FSIZE, &none);
  const HelperRun run = RunHelper(count, std::string(300'000, 'x'), kLong);
  setrlimit(RLIMIT_FSIZE, &before);
  CHECK(run.outcome == Outcome::kEnded);
  CHECK(run.output == "300000\n");
}

#if !defined(__SANITIZE_THREAD__)  // whose runtime has a thread of its own and forbids such a fork
// libc's own would change the thread that waits for the helper as well; a host that makes the calls
// itself changes one thread.
TEST_CASE("helper and guardian end with the rights that they were started with",
          "[helper][rights]") {
  if (geteuid() != 0) {
    WARN("needs root");
    return;
  }
  const std::string way = GENERATE("user", "group", "groups", "capabilities");
  INFO(way);
  const TempDir directory;
  const std::string helper = FakeHelper(directory, "hang");
  int go[2];
  REQUIRE(pipe(go) == 0);
  const pid_t host = fork();
  if (host == 0) {
    std::thread([&] {
      const HelperRun run = RunHelper(helper, "x", kLong);
      _exit(run.outcome == Outcome::kStopped ? 0 : 1);
    }).detach();
    char byte;
    if (read(go[0], &byte, 1) != 1) _exit(2);
    const gid_t other = 4711;
    long failed = 0;
    if (way == "user") failed = syscall(SYS_setresuid, 65534, 65534, 65534);
    if (way == "group") failed = syscall(SYS_setresgid, 65534, 65534, 65534);
    if (way == "groups") failed = syscall(SYS_setgroups, 1, &other);
    if (way == "capabilities") {
      __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
      const __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {};
      failed = syscall(SYS_capset, &header, none);
    }
    if (failed != 0) _exit(3);
    for (;;) pause();
  }
  const Pair pair = WaitForHelper(host, "hang");
  REQUIRE(pair.helper > 0);
  kill(pair.helper, SIGSTOP);
  REQUIRE(write(go[1], "x", 1) == 1);
  CHECK(GoneSoon(pair.helper));
  CHECK(GoneSoon(pair.guardian));
  int status = -1;
  waitpid(host, &status, 0);
  CHECK(status == 0);
  close(go[0]);
  close(go[1]);
}
#endif

}  // namespace heapgauge::symbolize
