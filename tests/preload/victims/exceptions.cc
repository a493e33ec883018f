// Exceptions in a C++ host: through nested frames, across threads, out of a callback that the C
// library calls, and by thread cancellation, which unwinds like an exception.
#include <pthread.h>

#include <exception>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "victim.h"

namespace {

int g_alive = 0;

struct Counted {
  std::unique_ptr<char[]> memory{new char[3000]};
  Counted() { __atomic_fetch_add(&g_alive, 1, __ATOMIC_RELAXED); }
  ~Counted() { __atomic_fetch_sub(&g_alive, 1, __ATOMIC_RELAXED); }
};

__attribute__((noinline)) int Thrower(int depth) {
  const Counted here;
  if (depth == 0) throw std::logic_error("from the bottom");
  return Thrower(depth - 1) + static_cast<int>(here.memory[0] = 0);
}

int Compare(const void*, const void*) { throw 42; }

void* Cancelled(void* argument) {
  const Counted here;
  for (;;) {
    free(malloc(2000));
    pthread_testcancel();
  }
  return argument;
}

void* Leaves(void* argument) {
  const Counted here;
  pthread_exit(argument);
}

}  // namespace

int main() {
  for (int depth = 0; depth < 200; ++depth) {
    try {
      Thrower(depth);
      return 1;
    } catch (const std::logic_error&) {
    }
  }
  VICTIM_REQUIRE(g_alive == 0);
  for (int i = 0; i < 20; ++i) {
    auto answer = std::async(std::launch::async, [i] { return Thrower(i); });
    try {
      answer.get();
      return 1;
    } catch (const std::logic_error&) {
    }
  }
  VICTIM_REQUIRE(g_alive == 0);
  int numbers[4] = {4, 3, 2, 1};
  try {
    qsort(numbers, 4, sizeof(int), Compare);
    return 1;
  } catch (int number) {
    VICTIM_REQUIRE(number == 42);
  }
  for (int i = 0; i < 20; ++i) {
    pthread_t thread;
    VICTIM_REQUIRE(pthread_create(&thread, nullptr, i % 2 == 0 ? Cancelled : Leaves, nullptr) == 0);
    if (i % 2 == 0) pthread_cancel(thread);
    void* result = nullptr;
    VICTIM_REQUIRE(pthread_join(thread, &result) == 0);
    VICTIM_REQUIRE(result == (i % 2 == 0 ? PTHREAD_CANCELED : nullptr));
  }
  VICTIM_REQUIRE(g_alive == 0);
  puts("all caught");
  victim_check("at the end"); /* of more stacks than a report shows */
  return 0;
}
