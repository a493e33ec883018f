#include "reporter/own_malloc.h"

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace heapgauge {
namespace {

// For the constructors of the core and of the C++ library in it, on the loading thread: 72 KiB for
// exceptions where there is no memory.  .bss: costs what is touched.  Never given back.
constexpr size_t kPoolBytes = size_t{128} * 1024;
constexpr size_t kAlignment = 16;
alignas(kAlignment) char g_pool[kPoolBytes];
size_t g_pool_used = 0;

const ShimApi* g_allocator = nullptr;  // set before the core has a second thread

void* FromPool(size_t bytes) noexcept {
  if (bytes > kPoolBytes - kAlignment) return nullptr;
  // The size stands before the block.
  const size_t whole = (bytes + 2 * kAlignment - 1) & ~(kAlignment - 1);
  if (whole > kPoolBytes - g_pool_used) return nullptr;
  char* const piece = g_pool + g_pool_used;
  g_pool_used += whole;
  std::memcpy(piece, &bytes, sizeof(bytes));
  return piece + kAlignment;
}

bool IsFromPool(const void* block) noexcept {
  return reinterpret_cast<uintptr_t>(block) - reinterpret_cast<uintptr_t>(g_pool) < kPoolBytes;
}

size_t PoolSize(const void* block) noexcept {
  size_t bytes;
  std::memcpy(&bytes, static_cast<const char*>(block) - kAlignment, sizeof(bytes));
  return bytes;
}

void* NoMemory() noexcept {
  errno = ENOMEM;
  return nullptr;
}

}  // namespace

void UseHostAllocator(const ShimApi& shim) noexcept { g_allocator = &shim; }

}  // namespace heapgauge

using namespace heapgauge;  // NOLINT: the functions are C

extern "C" {

void* malloc(size_t bytes) noexcept {
  return g_allocator != nullptr ? g_allocator->malloc(bytes) : FromPool(bytes);
}

void free(void* block) noexcept {
  if (block != nullptr && !IsFromPool(block) && g_allocator != nullptr) g_allocator->free(block);
}

void* calloc(size_t count, size_t size) noexcept {
  if (g_allocator != nullptr) return g_allocator->calloc(count, size);
  size_t bytes;
  if (__builtin_mul_overflow(count, size, &bytes)) return NoMemory();
  return FromPool(bytes);  // zero as it is, for nothing is given back
}

void* realloc(void* block, size_t bytes) noexcept {
  if (block != nullptr && !IsFromPool(block)) return g_allocator->realloc(block, bytes);
  void* const fresh = malloc(bytes);
  if (block != nullptr && fresh != nullptr) {
    const size_t before = PoolSize(block);
    std::memcpy(fresh, block, before < bytes ? before : bytes);
  }
  return fresh;
}

void* reallocarray(void* block, size_t count, size_t size) noexcept {
  size_t bytes;
  return __builtin_mul_overflow(count, size, &bytes) ? NoMemory() : realloc(block, bytes);
}

// Not before the core's entry: nothing there asks for it.
void* memalign(size_t alignment, size_t bytes) noexcept {
  return g_allocator != nullptr ? g_allocator->memalign(alignment, bytes) : NoMemory();
}

void* aligned_alloc(size_t alignment, size_t bytes) noexcept { return memalign(alignment, bytes); }

int posix_memalign(void** out, size_t alignment, size_t bytes) noexcept {
  void* const block = memalign(alignment, bytes);
  if (block == nullptr) return ENOMEM;
  *out = block;
  return 0;
}

}  // extern "C"
