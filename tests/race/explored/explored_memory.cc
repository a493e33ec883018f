#include "race/explored/explored_memory.h"

#include <sys/types.h>

#include <cstddef>
#include <cstring>

#include "race/explored/explorer.h"

namespace {

constexpr size_t kBytes = size_t{4} << 20;
alignas(4096) char g_memory[kBytes];
size_t g_used = 0;

}  // namespace

extern "C" {

void* heapgauge_test_mmap(void*, size_t bytes, int, int, int, off_t) noexcept {
  if (bytes > kBytes - g_used) return reinterpret_cast<void*>(-1);
  void* const memory = g_memory + g_used;
  g_used += (bytes + 4095) / 4096 * 4096;
  return memory;
}

int heapgauge_test_munmap(void*, size_t) noexcept { return 0; }

int heapgauge_test_sched_yield() noexcept {
  heapgauge::test::Explorer::AtYield();
  return 0;
}

}  // extern "C"

namespace heapgauge::test {

void ResetExploredMemory() {
  std::memset(g_memory, 0, g_used);
  g_used = 0;
}

}  // namespace heapgauge::test
