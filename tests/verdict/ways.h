// What verdict_ways and its libraries share.
#ifndef HEAPGAUGE_TESTS_VERDICT_WAYS_H_
#define HEAPGAUGE_TESTS_VERDICT_WAYS_H_

#include <cstddef>
#include <cstdint>
#include <cstring>

inline uint32_t WayRandom() {
  static uint32_t random = 7;
  return (random = random * 1664525 + 1013904223) >> 8;
}

// Not to be left out, nor to be a last call.
__attribute__((always_inline)) inline void* WayTouched(void* block, size_t bytes) {
  std::memset(block, 1, bytes);
  asm volatile("" : : "r"(block) : "memory");
  return block;
}

extern "C" {
void RunPool(bool loses);
void RunTemplate(bool loses);
void RunClass(bool loses);
void RunRust(bool loses);
void RunMixin(bool loses);
void RunFormat(bool loses);
}

#endif  // HEAPGAUGE_TESTS_VERDICT_WAYS_H_
