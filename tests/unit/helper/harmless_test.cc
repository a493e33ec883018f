// What the host must not see of a helper: no child, no signal, no descriptor, no change to its own.
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <set>
#include <thread>

#include "helper/helper_process.h"
#include "unit/symbolize/fixtures.h"

namespace heapgauge::symbolize {
namespace {

using std::chrono::milliseconds;
using symbolize_test::FakeHelper;
using symbolize_test::TempDir;

const char* const kManners[] = {"serve", "hang", "crash",  "flood",           "garbage",
                                "deaf",  "fail", "linger", "hang_with_child", "missing"};

std::atomic<int> g_signals{0};  // relaxed: read after the handlers' thread has gone on

class CountSignals final {
 public:
  CountSignals() {
    g_signals.store(0, std::memory_order_relaxed);
    struct sigaction action = {};
    action.sa_handler = [](int) { g_signals.fetch_add(1, std::memory_order_relaxed); };
    sigaction(SIGCHLD, &action, &child_);
    sigaction(SIGPIPE, &action, &pipe_);
  }
  ~CountSignals() {
    sigaction(SIGCHLD, &child_, nullptr);
    sigaction(SIGPIPE, &pipe_, nullptr);
  }
  CountSignals(const CountSignals&) = delete;
  CountSignals& operator=(const CountSignals&) = delete;

  static int count() { return g_signals.load(std::memory_order_relaxed); }

 private:
  struct sigaction child_ = {};
  struct sigaction pipe_ = {};
};

std::set<std::string> OpenDescriptors() {
  std::set<std::string> open;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code error;
    const auto target = std::filesystem::read_symlink(entry.path(), error);
    // The one this very loop reads through.
    if (!error && target.string().find("/fd") == std::string::npos) {
      open.insert(entry.path().filename().string() + " " + target.string());
    }
  }
  return open;
}

// Any child at all, waited for in the usual way or not.
bool HasChild(int options) {
  siginfo_t info = {};
  return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT | options) == 0;
}

HelperRun RunManner(const TempDir& directory, const std::string& manner) {
  const std::string helper =
      manner == "missing" ? directory / "missing" : FakeHelper(directory, manner);
  return RunHelper(helper, std::string(1 << 18, 'x'), milliseconds(200));
}

}  // namespace

TEST_CASE("no helper leaves a child, a signal or a descriptor behind", "[helper][harmless]") {
  const TempDir directory;
  RunManner(directory, "serve");
  const auto before = OpenDescriptors();
  const CountSignals signals;
  for (const std::string manner : kManners) {
    INFO(manner);
    errno = 0;
    RunManner(directory, manner);
    CHECK(CountSignals::count() == 0);
    CHECK(OpenDescriptors() == before);
    CHECK_FALSE(HasChild(0));
    CHECK_FALSE(HasChild(__WALL));
    errno = 0;
    CHECK(waitpid(-1, nullptr, WNOHANG) == -1);
    CHECK(errno == ECHILD);
    sigset_t pending;
    sigpending(&pending);
    CHECK(sigismember(&pending, SIGPIPE) == 0);
  }
}

TEST_CASE("waiting for all children while a helper runs finds only the host's own",
          "[helper][harmless]") {
  const TempDir directory;
  const CountSignals signals;
  std::atomic<bool> done{false};  // relaxed: nothing but the flag is shared
  std::thread reporter([&] {
    RunManner(directory, "hang");
    done.store(true, std::memory_order_relaxed);
  });
  int foreign = 0;
  size_t most_descriptors = 0;
  const size_t before = OpenDescriptors().size();
  while (!done.load(std::memory_order_relaxed)) {
    if (waitpid(-1, nullptr, WNOHANG) != -1) ++foreign;
    most_descriptors = std::max(most_descriptors, OpenDescriptors().size());
    usleep(1000);
  }
  reporter.join();
  CHECK(foreign == 0);
  CHECK(CountSignals::count() == 0);
  CHECK(most_descriptors == before);  // the guardian's pipes are in its own table
}

TEST_CASE("a host that ignores SIGCHLD still learns how its helper ended", "[helper][harmless]") {
  const TempDir directory;
  const auto before = signal(SIGCHLD, SIG_IGN);
  const HelperRun run = RunManner(directory, "fail");
  signal(SIGCHLD, before);
  CHECK(run.problem == directory / "fail ended with status 9");
}

TEST_CASE("a host with its standard descriptors closed keeps them closed", "[helper][harmless]") {
  const TempDir directory;
  const std::string helper = FakeHelper(directory, "describe");
  const int saved = fcntl(0, F_DUPFD_CLOEXEC, 10);
  REQUIRE(saved >= 10);
  close(0);
  const HelperRun run = RunHelper(helper, "x", milliseconds(10'000));
  const bool still_closed = fcntl(0, F_GETFD) == -1;
  dup2(saved, 0);
  close(saved);
  CHECK(still_closed);
  CHECK(run.outcome == HelperRun::Outcome::kEnded);
  CHECK(run.output.find("descriptor 2\n") != std::string::npos);
}

TEST_CASE("a host without a free descriptor still gets its answer", "[helper][harmless]") {
  const TempDir directory;
  const std::string helper = FakeHelper(directory, "describe");
  // A sanitizer opens a pipe to look at a type for the first time.
  REQUIRE(RunHelper(helper, "x", milliseconds(10'000)).outcome == HelperRun::Outcome::kEnded);
  rlimit before;
  REQUIRE(getrlimit(RLIMIT_NOFILE, &before) == 0);
  const int highest = fcntl(0, F_DUPFD_CLOEXEC, 3);
  REQUIRE(highest >= 3);
  rlimit none = before;
  none.rlim_cur = static_cast<rlim_t>(highest) + 1;
  setrlimit(RLIMIT_NOFILE, &none);
  std::vector<int> taken;
  for (int fd; (fd = dup(0)) >= 0;) taken.push_back(fd);
  // The limit is inherited; the helper's own three descriptors and libraries need some.
  const HelperRun run = RunHelper(helper, "x", milliseconds(10'000));
  for (const int fd : taken) close(fd);
  setrlimit(RLIMIT_NOFILE, &before);
  close(highest);
  CHECK((run.outcome == HelperRun::Outcome::kEnded || highest < 8));
}

TEST_CASE("the caller's signal mask and thread state come through", "[helper][harmless]") {
  const TempDir directory;
  sigset_t mask;
  sigemptyset(&mask);
  sigaddset(&mask, SIGUSR2);
  sigset_t before;
  pthread_sigmask(SIG_SETMASK, &mask, &before);
  RunManner(directory, "crash");
  sigset_t after;
  pthread_sigmask(SIG_SETMASK, &before, &after);
  CHECK(sigismember(&after, SIGUSR2) == 1);
  CHECK(sigismember(&after, SIGTERM) == 0);
  CHECK(sigismember(&after, SIGSEGV) == 0);
}

TEST_CASE("threads may each run a helper at the same time", "[helper][harmless]") {
  const TempDir directory;
  const std::string helper = FakeHelper(directory, "describe");
  std::atomic<int> ended{0};  // relaxed: read after the threads were joined
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      const HelperRun run = RunHelper(helper, "x", milliseconds(20'000));
      if (run.outcome == HelperRun::Outcome::kEnded) ended.fetch_add(1, std::memory_order_relaxed);
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(ended.load(std::memory_order_relaxed) == 8);
  CHECK_FALSE(HasChild(__WALL));
}

#if !defined(__SANITIZE_THREAD__)  // whose runtime has a thread of its own and forbids such a fork
TEST_CASE("the host's death ends guardian and helper", "[helper][harmless]") {
  const TempDir directory;
  const std::string helper = FakeHelper(directory, "hang");
  const pid_t host = fork();
  if (host == 0) {
    RunHelper(helper, "x", milliseconds(60'000));
    _exit(0);
  }
  const auto running = [&helper] {
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
      std::ifstream file(entry.path() / "cmdline");
      std::string first;
      if (std::getline(file, first, '\0') && first == helper) return true;
    }
    return false;
  };
  for (int i = 0; i < 500 && !running(); ++i) usleep(10'000);
  REQUIRE(running());
  kill(host, SIGKILL);
  waitpid(host, nullptr, 0);
  for (int i = 0; i < 500 && running(); ++i) usleep(10'000);
  CHECK_FALSE(running());
}
#endif

}  // namespace heapgauge::symbolize
