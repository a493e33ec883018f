// verdict_ways MODE SECONDS: a dozen leaks in one process, each behind another thing that compilers and
// libraries put between a block and the line that asked; beside each of them the same without a leak, and a
// static object that holds much and leaks nothing.
#include "ways.h"

#include <chrono>
#include <coroutine>
#include <csetjmp>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#define KEPT_CALL __attribute__((noinline, noclone)) static

namespace {

KEPT_CALL void Parse() { free(WayTouched(malloc(1500), 1500)); }

// A closure within std::function.
void Closures(bool loses) {
  static std::vector<std::function<void()>> closures = [] {
    std::vector<std::function<void()>> made;
    made.emplace_back([]() __attribute__((noinline)) { WayTouched(malloc(600), 600); });
    made.emplace_back([]() __attribute__((noinline)) { free(WayTouched(malloc(900), 900)); });
    return made;
  }();
  closures[1]();
  if (loses) closures[0]();
}

// Below the thunk of a second base.
struct First {
  virtual ~First() = default;
  virtual void Rest() {}
  long first = 0;
};
struct Second {
  virtual ~Second() = default;
  virtual void Handle() = 0;
  long second = 0;
};
struct Losing : First, Second {
  __attribute__((noinline)) void Handle() override { WayTouched(malloc(600), 600); }
};
struct Healthy : First, Second {
  __attribute__((noinline)) void Handle() override { free(WayTouched(malloc(900), 900)); }
};
void Thunks(bool loses) {
  static Losing losing;
  static Healthy healthy;
  Second* volatile handler = &healthy;
  handler->Handle();
  handler = &losing;
  if (loses) handler->Handle();
}

// A coroutine that nobody resumes any more.
struct Task {
  struct promise_type {
    Task get_return_object() { return {std::coroutine_handle<promise_type>::from_promise(*this)}; }
    std::suspend_always initial_suspend() { return {}; }
    std::suspend_always final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() {}
  };
  std::coroutine_handle<promise_type> handle;
};
__attribute__((noinline)) Task ServeClient(char with) {
  char buffer[300];
  std::memset(buffer, with, sizeof buffer);
  co_await std::suspend_always{};
  free(WayTouched(malloc(200), 200));
  WayTouched(buffer, 1);
}
void Coroutines(bool loses) {
  const Task served = ServeClient('s');
  served.handle.resume();
  served.handle.resume();
  served.handle.destroy();
  if (loses) ServeClient('l').handle.resume();
}

// Left by an exception, and by longjmp.
KEPT_CALL void ReadOrThrow() {
  WayTouched(malloc(500), 500);
  throw std::runtime_error(std::string(100, 'e'));
}
void Exceptions(bool loses) {
  Parse();
  if (!loses) return;
  try {
    ReadOrThrow();
  } catch (const std::exception&) {
  }
}
jmp_buf g_back;
KEPT_CALL void ReadOrJump() {
  WayTouched(malloc(500), 500);
  std::longjmp(g_back, 1);
}
void Jumps(bool loses) {
  Parse();
  if (loses && setjmp(g_back) == 0) ReadOrJump();
}

// Recursion through pointers: hundreds of stacks.
using Visit = void (*)(int depth, bool loses);
KEPT_CALL void KeepLeaf() { WayTouched(malloc(500), 500); }
KEPT_CALL void VisitLeft(int depth, bool loses);
KEPT_CALL void VisitRight(int depth, bool loses);
constexpr Visit kVisits[] = {VisitLeft, VisitRight};
KEPT_CALL void Leaf(bool loses) {
  Parse();
  if (loses) KeepLeaf();
}
void VisitLeft(int depth, bool loses) {
  depth <= 0 ? Leaf(loses) : kVisits[WayRandom() % 2](depth - 1, loses);
}
void VisitRight(int depth, bool loses) {
  depth <= 0 ? Leaf(loses) : kVisits[WayRandom() % 2](depth - 2, loses);
}
void Recursion(bool loses) {
  kVisits[WayRandom() % 2](8 + static_cast<int>(WayRandom() % 5), loses);
}

// Made at its first use, and kept.
struct Registry {
  Registry() {
    for (int i = 0; i < 3000; ++i) entries.push_back(WayTouched(malloc(500), 500));
  }
  std::vector<void*> entries;
};
void Statics(bool) {
  static const Registry registry;
  Parse();
}

// Each library is led to by a line of its own: what one line leads to is one row where no part of it is
// most of it.
#define LEADS_TO(name) \
  KEPT_CALL void To##name(bool loses) { Run##name(loses); }
LEADS_TO(Pool)
LEADS_TO(Template)
LEADS_TO(Class)
LEADS_TO(Rust)
LEADS_TO(Mixin)
LEADS_TO(Format)

constexpr void (*kWays[])(bool) = {ToPool,   ToTemplate, ToClass, ToRust,     ToMixin,
                                   ToFormat, Closures,   Thunks,  Coroutines, Exceptions,
                                   Jumps,    Recursion,  Statics};

}  // namespace

int main(int count, char** arguments) {
  if (count != 3) return 2;
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(atoi(arguments[2]));
  for (uint32_t round = 0; std::chrono::steady_clock::now() < end; ++round) {
    for (const auto run : kWays) {
      for (uint32_t i = 0; i < 4; ++i) run(i == round % 4);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(12));
  }
  return 0;
}
