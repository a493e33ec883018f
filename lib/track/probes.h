// USDT probes for whoever watches from outside: otel_memory:alloc(ptr, size, weighted_bytes) when a
// block is sampled, otel_memory:free(ptr) when a sampled block dies.
//
// The sum of weighted_bytes is an unbiased estimate of all bytes allocated.  A realloc of a sampled
// block is a free and an alloc.  Each probe has a semaphore: while nobody watches, a sampled call
// reads one word more, and an unsampled one does nothing.  Where the probes lie is in the notes of
// the file (readelf -n).
// https://sourceware.org/systemtap/wiki/UserSpaceProbeImplementation
//
// Thread-safe.  Nothing is allocated, errno stays.
#ifndef HEAPGAUGE_TRACK_PROBES_H_
#define HEAPGAUGE_TRACK_PROBES_H_

#include <cstddef>

#include "base/macros.h"

// Counted up by each watcher, from outside the process.
extern "C" {
extern volatile unsigned short otel_memory_alloc_semaphore __attribute__((visibility("hidden")));
extern volatile unsigned short otel_memory_free_semaphore __attribute__((visibility("hidden")));
}

namespace heapgauge {

// Readers take the arguments from the registers in which a call passes them.
void FireAlloc(const void* block, size_t bytes, size_t weighted_bytes) noexcept;
void FireFree(const void* block) noexcept;

inline void ProbeAlloc(const void* block, size_t bytes, double weight) noexcept {
  if (HG_LIKELY(otel_memory_alloc_semaphore == 0)) return;
  FireAlloc(block, bytes, static_cast<size_t>(static_cast<double>(bytes) * weight + 0.5));
}

inline void ProbeFree(const void* block) noexcept {
  if (HG_LIKELY(otel_memory_free_semaphore == 0)) return;
  FireFree(block);
}

}  // namespace heapgauge

#endif  // HEAPGAUGE_TRACK_PROBES_H_
