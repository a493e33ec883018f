// Stacks that are not the main thread's: signal handlers, coroutines, threads, small ones, deep
// ones.
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdint>
#include <functional>
#include <thread>
#include <vector>

#include "captures.h"
#include "chains.h"
#include "support/thread_gun.h"

// The handlers below run at a raise() of the test's own, never inside an allocation, so they may
// allocate.
extern "C" __attribute__((visibility("default"))) const char* __tsan_default_options() {
  return "report_signal_unsafe=0";
}

namespace heapgauge {
namespace {

using test::AllChainSets;
using test::BeginsWith;
using test::CaptureChain;
using test::Captures;
using test::ChainSet;
using test::Contains;
using test::FindChain;

constexpr size_t kStackBytes = 256 * 1024;

class StackMemory final {
 public:
  StackMemory()
      : memory_(mmap(nullptr, kStackBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                     0)) {}
  ~StackMemory() { munmap(memory_, kStackBytes); }
  StackMemory(const StackMemory&) = delete;
  StackMemory& operator=(const StackMemory&) = delete;
  void* get() const { return memory_; }

 private:
  void* const memory_;
};

const std::function<void()>* g_body = nullptr;

#if !defined(__SANITIZE_THREAD__)  // its shadow stack does not follow swapcontext()
void RunBody() { (*g_body)(); }

// Runs `body` on a hand-made stack, as a coroutine library would.
void OnCoroutine(const std::function<void()>& body) {
  const StackMemory stack;
  ucontext_t here;
  ucontext_t there;
  getcontext(&there);
  there.uc_stack.ss_sp = stack.get();
  there.uc_stack.ss_size = kStackBytes;
  there.uc_link = &here;
  g_body = &body;
  makecontext(&there, RunBody, 0);
  swapcontext(&here, &there);
}

TEST_CASE("coroutines: auto sees what libunwind sees, and frame pointers do no harm", "[trace]") {
  for (const ChainSet* const set : AllChainSets()) {
    INFO(set->name);
    Captures captures;
    OnCoroutine([&] { captures = CaptureChain(FindChain(*set, "straight")); });
    CHECK(BeginsWith(captures.dwarf, captures.truth));
    CHECK(captures.automatic == captures.dwarf);
    CHECK(captures.careful == captures.dwarf);
    CHECK_FALSE(captures.by_tables);  // nothing bounds a walk there
    CHECK(captures.frame_pointers == test::Frames{captures.truth.front()});
  }
}

TEST_CASE("coroutines of a thread", "[trace]") {
  std::thread([] {
    for (const ChainSet* const set : AllChainSets()) {
      Captures captures;
      OnCoroutine([&] { captures = CaptureChain(FindChain(*set, "busy registers")); });
      CHECK(BeginsWith(captures.dwarf, captures.truth));
      CHECK(captures.automatic == captures.dwarf);
      CHECK(captures.careful == captures.dwarf);
      // And after it the thread's own stack again.
      captures = CaptureChain(FindChain(*set, "busy registers"));
      CHECK(captures.automatic == captures.dwarf);
      CHECK(captures.careful == captures.dwarf);
    }
  }).join();
}
#endif

void OnSignal(int /*number*/) { (*g_body)(); }

// Runs `body` in a signal handler; raise() is called by the innermost function of a chain.
Captures InSignalHandler(const ChainSet& set, bool on_alternate_stack,
                         const std::function<void()>& body) {
  const StackMemory memory;
  stack_t stack{};
  stack.ss_sp = memory.get();
  stack.ss_size = kStackBytes;
  stack_t before{};
  if (on_alternate_stack) REQUIRE(sigaltstack(&stack, &before) == 0);
  struct sigaction action {};
  action.sa_handler = OnSignal;
  action.sa_flags = on_alternate_stack ? SA_ONSTACK : 0;
  struct sigaction old {};
  REQUIRE(sigaction(SIGUSR1, &action, &old) == 0);
  g_body = &body;
  Captures interrupted;
  test::Call call;
  call.context = &interrupted;
  call.hook = [](test::Call& at) {
    static_cast<Captures*>(at.context)
        ->truth.assign(at.shadow.frames.rbegin(), at.shadow.frames.rend());
    raise(SIGUSR1);
  };
  FindChain(set, "big frame").run(call);
  sigaction(SIGUSR1, &old, nullptr);
  if (on_alternate_stack) sigaltstack(&before, nullptr);
  return interrupted;
}

TEST_CASE("signal handlers: the interrupted stack is seen through the handler", "[trace]") {
  for (const bool on_alternate_stack : {false, true}) {
    for (const ChainSet* const set : AllChainSets()) {
      INFO(set->name << (on_alternate_stack ? ", alternate stack" : ""));
      Captures captures;
      const Captures interrupted = InSignalHandler(*set, on_alternate_stack, [&] {
        captures = CaptureChain(FindChain(*set, "stack arguments"));
      });
      CHECK(BeginsWith(captures.dwarf, captures.truth));
      CHECK(captures.automatic == captures.dwarf);
      CHECK(captures.careful == captures.dwarf);
      CHECK(captures.libunwind_agrees);  // through the kernel's frame, too
      CHECK(Contains(captures.dwarf, interrupted.truth));
      CHECK(captures.frame_pointers.front() == captures.truth.front());
    }
  }
}

// The smallest stack that pthread_create accepts; the sanitizers need more for themselves.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr size_t kSmallStack = 128 * 1024;
#else
const size_t kSmallStack = std::max<size_t>(16 * 1024, PTHREAD_STACK_MIN);  // AArch64: 128 KiB
#endif

TEST_CASE("the smallest stack is enough for the tables", "[trace]") {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  REQUIRE(pthread_attr_setstacksize(&attributes, kSmallStack) == 0);
  struct Result {
    StackTrace trace;
    bool by_tables = false;
    uintptr_t caller = 0;
  } result;
  pthread_t thread;
  const auto body = [](void* argument) -> void* {
    test::Call call;
    call.context = argument;
    call.hook = [](test::Call& at) {
      Result& out = *static_cast<Result*>(at.context);
      void* const caller = __builtin_return_address(0);
      out.caller = reinterpret_cast<uintptr_t>(caller);
      out.by_tables = CaptureByTables(out.trace, kMaxFrames, caller, test::TestThread(), nullptr);
    };
    call.shadow.frames.reserve(16);
    FindChain(test::kChains_o2, "straight").run(call);
    return nullptr;
  };
  REQUIRE(pthread_create(&thread, &attributes, body, &result) == 0);
  pthread_join(thread, nullptr);
  pthread_attr_destroy(&attributes);
  CHECK(result.by_tables);
  CHECK(result.trace.depth >= 5);  // three of the chain, the thread's function, its start
  CHECK(result.trace.frames[0] == result.caller);
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr size_t kDeep = 1000;  // their frames are large
#else
constexpr size_t kDeep = 10'000;
#endif

TEST_CASE("a very deep recursion ends at max_frames", "[trace]") {
  for (const ChainSet* const set : AllChainSets()) {
    INFO(set->name);
    const Captures captures = CaptureChain(FindChain(*set, "mutual"), kDeep, 64);
    CHECK(captures.dwarf.size() == 64);
    CHECK(captures.automatic == captures.dwarf);
    CHECK(captures.careful == captures.dwarf);
  }
}

// libunwind frees a thread's cache from a destructor of thread-specific data, under a mutex.  That
// is after ThreadSanitizer has closed the thread, and it crashes at the mutex.
#if !defined(__SANITIZE_THREAD__)
TEST_CASE("threads: auto sees what libunwind sees, from the first sample on", "[trace]") {
  for (int round = 0; round < 20; ++round) {
    std::vector<Captures> captures(4);
    test::ThreadGun(captures.size()).Fire([&](size_t index) {
      const ChainSet& set = *AllChainSets()[(index + static_cast<size_t>(round)) % 5];
      captures[index] = CaptureChain(FindChain(set, "through library"));
    });
    for (const Captures& captured : captures) {
      CHECK(Contains(captured.dwarf, captured.truth));
      CHECK(captured.automatic == captured.dwarf);
      CHECK(captured.careful == captured.dwarf);
    }
  }
}

TEST_CASE("a fork's child walks the stack it inherited", "[trace]") {
  std::thread([] {  // from a thread: the child's only thread has not the main stack
    CaptureChain(FindChain(test::kChains_o2, "straight"));
    const pid_t child = fork();
    if (child == 0) {
      const Captures captures = CaptureChain(FindChain(test::kChains_o2, "straight"));
      _exit(BeginsWith(captures.automatic, captures.truth) && captures.automatic == captures.dwarf
                ? 0
                : 1);
    }
    int status = -1;
    REQUIRE(waitpid(child, &status, 0) == child);
    CHECK(status == 0);
  })
      .join();
}
#endif

TEST_CASE("warming up leaves the thread able to capture", "[trace]") {
  ThreadState self;
  WarmUnwinders(UnwindMode::kDwarf, self);
#if !defined(__x86_64__)  // libunwind is not asked there: the first capture learns the stack
  StackTrace trace;
  CHECK(CaptureByTables(trace, kMaxFrames, __builtin_return_address(0), self, nullptr));
#endif
  CHECK(self.stack_known);
  const uintptr_t here = reinterpret_cast<uintptr_t>(&self);
  CHECK(self.stack_low <= here);
  CHECK(here < self.stack_high);
}

}  // namespace
}  // namespace heapgauge
