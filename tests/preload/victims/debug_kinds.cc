// Leaks at one line, inlined into another function.  Built again and again by scenarios/debug_kinds.py,
// with debug information of every kind.
#include <cstdlib>
#include <cstring>

static inline __attribute__((always_inline)) char* KeepInner(size_t bytes) {
  char* block = static_cast<char*>(malloc(bytes));  // mark: inner
  memset(block, 1, bytes);
  asm volatile("" : : "r"(block) : "memory");
  return block;
}

namespace shop {
__attribute__((noinline)) void HandleRequest(int number) {
  KeepInner(static_cast<size_t>(3000 + number % 7));  // mark: outer
  asm volatile("");
}
}  // namespace shop

int main() {
  for (int i = 0; i < 500; ++i) shop::HandleRequest(i);
  return 0;
}
