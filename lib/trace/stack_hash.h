// A stack's hash: a polynomial in its return addresses, so that the hash of a part of a stack
// follows from two hashes of longer ones (last_walks.h), as in Rabin and Karp's search.
#ifndef HEAPGAUGE_TRACE_STACK_HASH_H_
#define HEAPGAUGE_TRACE_STACK_HASH_H_

#include <cstddef>
#include <cstdint>

namespace heapgauge {

inline constexpr uint64_t kStackHashBase = 0xD6E8FEB86659FD93U;

// Of the frames from some outermost one up to `frame`, given that of the frames outside of it.
constexpr uint64_t PushFrame(uint64_t outside, uintptr_t frame) noexcept {
  return outside * kStackHashBase + frame;
}

// The low bits of a polynomial are poor, and where they are poor they are so in all stacks of a
// program.
constexpr uint64_t FinishStackHash(uint64_t polynomial, size_t depth) noexcept {
  polynomial ^= polynomial >> 32;
  return (polynomial + depth) * 0x9E3779B97F4A7C15U;
}

constexpr uint64_t HashStack(const uintptr_t* frames, size_t depth) noexcept {
  uint64_t polynomial = 0;
  for (size_t i = depth; i-- > 0;) polynomial = PushFrame(polynomial, frames[i]);
  return FinishStackHash(polynomial, depth);
}

}  // namespace heapgauge

#endif  // HEAPGAUGE_TRACE_STACK_HASH_H_
