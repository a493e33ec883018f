// The births and deaths of a program's blocks, at the addresses that the C library's allocator gave
// them.
//
// One request sequence for all schemes.  What differs is what the scheme does to the sampled
// blocks: one that knows them by their address asks for alignment, and has to live with what the
// allocator does with those addresses later.
#ifndef HEAPGAUGE_BENCH_FREE_QUESTION_TRACE_H_
#define HEAPGAUGE_BENCH_FREE_QUESTION_TRACE_H_

#include <cstddef>
#include <cstdint>
#include <vector>

namespace free_question {

struct Event {
  uintptr_t block;
  enum Kind : uint8_t { kDeath, kSampledBirth } kind;  // ordinary births ask nothing
};

enum class Placement : uint8_t {
  kAsItComes,  // sampled blocks are ordinary ones
  kAligned,    // they start a page, and are given back to the allocator when they die
  kKept,       // they start a page; small ones stay with the tracker for the next sample
};

struct TraceOptions {
  uint64_t requests = 2'000'000;
  uint64_t slots = 20'000;  // blocks alive
  uint64_t interval =
      64 * 1024;  // bytes between samples: more than usual, so that there is much to find
  Placement placement = Placement::kAsItComes;
};

// `heap_bytes`: what the allocator held at the end of it.
std::vector<Event> MakeTrace(const TraceOptions& options, size_t* heap_bytes);

}  // namespace free_question

#endif  // HEAPGAUGE_BENCH_FREE_QUESTION_TRACE_H_
