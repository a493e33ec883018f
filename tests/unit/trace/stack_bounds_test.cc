// Where a thread's stack lies, found without a call: as the C library says when it is asked.
#include "trace/stack_bounds.h"

#include <pthread.h>
#include <sys/mman.h>

#include <catch2/catch.hpp>
#include <cstdint>
#include <cstdlib>

namespace heapgauge {
namespace {

struct Bounds {
  uintptr_t low = 0;
  uintptr_t high = 0;
};

uintptr_t Here() { return reinterpret_cast<uintptr_t>(__builtin_frame_address(0)); }

Bounds Learnt(uintptr_t stack_pointer) {
  ThreadState state;
  LearnStack(state, stack_pointer, nullptr);
  REQUIRE(state.stack_known);
  return {state.stack_low, state.stack_high};
}

Bounds Told() {
  pthread_attr_t attributes;
  REQUIRE(pthread_getattr_np(pthread_self(), &attributes) == 0);
  void* low = nullptr;
  size_t bytes = 0;
  REQUIRE(pthread_attr_getstack(&attributes, &low, &bytes) == 0);
  pthread_attr_destroy(&attributes);
  const auto begin = reinterpret_cast<uintptr_t>(low);
  return {begin, begin + bytes};
}

void* Compare(void* same) {
  const Bounds told = Told();
  const Bounds learnt = Learnt(Here());
  void* const elsewhere = malloc(64);  // as a handler's stack is
  const Bounds beside = Learnt(reinterpret_cast<uintptr_t>(elsewhere));
  free(elsewhere);
  *static_cast<bool*>(same) = told.low == learnt.low && told.high == learnt.high &&
                              told.low == beside.low && told.high == beside.high;
  return nullptr;
}

bool AreSameIn(const pthread_attr_t* attributes) {
  pthread_t thread;
  bool same = false;
  REQUIRE(pthread_create(&thread, attributes, &Compare, &same) == 0);
  REQUIRE(pthread_join(thread, nullptr) == 0);
  return same;
}

}  // namespace

TEST_CASE("a thread's bounds are those of its stack, whoever made it", "[trace][stack_bounds]") {
  PrepareStackBounds();
  CHECK(AreSameIn(nullptr));
  for (const size_t bytes : {size_t{16384}, size_t{65536}, size_t{3} << 20}) {
    for (const size_t guard : {size_t{0}, size_t{4096}, size_t{65536}}) {
      if (guard >= bytes) continue;
      pthread_attr_t attributes;
      pthread_attr_init(&attributes);
      pthread_attr_setstacksize(&attributes, bytes + guard);
      pthread_attr_setguardsize(&attributes, guard);
      CHECK(AreSameIn(&attributes));
      pthread_attr_destroy(&attributes);
    }
  }
  // The program's own memory, with and without a page's alignment.
  constexpr size_t kBytes = 1 << 20;
  void* const own =
      mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  REQUIRE(own != MAP_FAILED);
  for (const size_t offset : {size_t{0}, size_t{4096}, size_t{16}}) {
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    REQUIRE(pthread_attr_setstack(&attributes, static_cast<char*>(own) + offset,
                                  kBytes / 2 - 3 * offset) == 0);
    CHECK(AreSameIn(&attributes));
    pthread_attr_destroy(&attributes);
  }
  munmap(own, kBytes);
}

TEST_CASE("the first thread's bounds are those of the main stack", "[trace][stack_bounds]") {
  PrepareStackBounds();
  const Bounds learnt = Learnt(Here());
  CHECK(learnt.low < Here());
  CHECK(learnt.high > Here());
  // glibc counts what the kernel has put above the first frame, too.
  CHECK(learnt.high <= Told().high);
  CHECK(learnt.high + (1 << 20) > Told().high);
  void* const elsewhere = malloc(1);  // as a handler's stack is
  const Bounds beside = Learnt(reinterpret_cast<uintptr_t>(elsewhere));
  free(elsewhere);
  CHECK(beside.low == learnt.low);
  CHECK(beside.high == learnt.high);
}

TEST_CASE("a stack is short near its begin, a guard page's or its signal stack's",
          "[trace][stack_bounds]") {
  PrepareStackBounds();
  ThreadState state;
  LearnStack(state, Here(), nullptr);
  CHECK_FALSE(StackIsShort(state, Here(), 4096));
  CHECK_FALSE(StackIsShort(state, state.stack_low + 4096, 4096));
  CHECK(StackIsShort(state, state.stack_low + 4095, 4096));

  constexpr size_t kPage = 4096;
  void* const other =
      mmap(nullptr, 4 * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  REQUIRE(other != MAP_FAILED);
  REQUIRE(mprotect(other, kPage, PROT_NONE) == 0);
  const uintptr_t begin = reinterpret_cast<uintptr_t>(other) + kPage;
  CHECK_FALSE(StackIsShort(state, begin + 4096, 4096));
  CHECK(StackIsShort(state, begin + 4000, 4096));
  // Where nothing may be asked only what is known counts.
  state.ended = kEndsWalks;
  CHECK_FALSE(StackIsShort(state, begin + 4000, 4096));
  CHECK(StackIsShort(state, state.stack_low + 4000, 4096));
  munmap(other, 4 * kPage);
}

}  // namespace heapgauge
