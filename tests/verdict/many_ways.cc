// One line that leaks, reached in many ways; beside it a line that does not.
//
//   many_ways handlers|recursion|deep_recursion|wrapper SECONDS   what is remembered is kept for ever, what is served is freed
//   many_ways once N                               N stacks of a few bytes each, then 32 blocks of 1 MiB at one line
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#define NOINLINE __attribute__((noinline))

static uint32_t g_random = 7;
static uint32_t Random() { return (g_random = g_random * 1664525 + 1013904223) >> 8; }

NOINLINE static void* Touched(void* block, size_t bytes) {
  memset(block, 1, bytes);
  return block;
}
NOINLINE static void Remember() { Touched(malloc(700), 700); }
NOINLINE static void Serve() {
  const size_t bytes = 1000 + Random() % 3000;
  free(Touched(malloc(bytes), bytes));
}
NOINLINE static void Request() {
  Serve();
  if (Random() % 8 == 0) Remember();
}

template <int N>
NOINLINE void Handle() {
  Request();
}
template <int... N>
static void AnyHandler(std::integer_sequence<int, N...>) {
  static void (*const kAll[])() = {&Handle<N>...};
  kAll[Random() % sizeof...(N)]();
}

NOINLINE static void Parse(int depth);
NOINLINE static void ParseSum(int depth) { Parse(depth - 1); }
NOINLINE static void ParseTerm(int depth) { Parse(depth - 1); }
NOINLINE static void Parse(int depth) {
  if (depth <= 0) return Request();
  Random() % 2 == 0 ? ParseSum(depth) : ParseTerm(depth);
}

// The program's own allocation functions, one above the other.
NOINLINE static void* SrvTake(size_t bytes) { return Touched(malloc(bytes), bytes); }
NOINLINE static void* SrvGet(size_t bytes) { return Touched(SrvTake(bytes + 16), bytes); }
NOINLINE static void KeepHeader() { Touched(SrvGet(300), 300); }
NOINLINE static void DecodeBody() { free(Touched(SrvGet(3000), 3000)); }
NOINLINE static void WriteLog() { free(Touched(SrvGet(120), 120)); }

static std::vector<void*> g_kept;
NOINLINE static void Walk(unsigned way, int depth);
NOINLINE static void WalkLeft(unsigned way, int depth) { Walk(way >> 1, depth - 1); }
NOINLINE static void WalkRight(unsigned way, int depth) { Walk(way >> 1, depth - 1); }
NOINLINE static void Walk(unsigned way, int depth) {
  if (depth == 0) {
    g_kept.push_back(malloc(16));
  } else {
    (way & 1) != 0 ? WalkLeft(way, depth) : WalkRight(way, depth);
  }
}
NOINLINE static void KeepLarge() {
  for (int i = 0; i < 32; ++i) g_kept.push_back(Touched(malloc(1 << 20), 1 << 20));
}

int main(int count, char** arguments) {
  if (count != 3) return 2;
  const std::string mode = arguments[1];
  if (mode == "once") {
    const int stacks = atoi(arguments[2]);
    for (int i = 0; i < stacks; ++i) Walk(static_cast<unsigned>(i), 15);
    KeepLarge();
    return 0;
  }
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(atoi(arguments[2]));
  while (std::chrono::steady_clock::now() < end) {
    for (int i = 0; i < 20; ++i) {
      if (mode == "handlers") {
        AnyHandler(std::make_integer_sequence<int, 150>());
      } else if (mode == "recursion") {
        Parse(6 + static_cast<int>(Random() % 6));
      } else if (mode == "no_room") {  // hardly two stacks are alike
        Parse(25 + static_cast<int>(Random() % 6));
      } else {
        DecodeBody();
        WriteLog();
        if (Random() % 4 == 0) KeepHeader();
      }
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return 0;
}
