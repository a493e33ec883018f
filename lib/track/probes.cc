#include "track/probes.h"

#define _SDT_HAS_SEMAPHORES 1
#include <sys/sdt.h>

// Where watchers look for them.
#define HG_SEMAPHORE __attribute__((section(".probes"), used))
extern "C" {
HG_SEMAPHORE volatile unsigned short otel_memory_alloc_semaphore = 0;
HG_SEMAPHORE volatile unsigned short otel_memory_free_semaphore = 0;
}

namespace heapgauge {

[[gnu::noinline]] void FireAlloc(const void* block, size_t bytes, size_t weighted_bytes) noexcept {
  STAP_PROBE3(otel_memory, alloc, block, bytes, weighted_bytes);
}

[[gnu::noinline]] void FireFree(const void* block) noexcept {
  STAP_PROBE1(otel_memory, free, block);
}

}  // namespace heapgauge
