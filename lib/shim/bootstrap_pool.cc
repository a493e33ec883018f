#include "shim/bootstrap_pool.h"

#include <atomic>
#include <cstdint>

#include "core_api/core_api.h"
#include "shim/next_allocator.h"

namespace heapgauge {
namespace {

constexpr size_t kPage = Control::kAlignment;
constexpr size_t kPages = 32;  // seen in use: 0 to 2

// .bss: costs no memory until touched.
alignas(kPage) char g_pool[kPages * kPage];
std::atomic<size_t> g_used_pages{0};
uint16_t g_piece_pages[kPages];  // by first page

size_t PageOf(const void* block) noexcept {
  return static_cast<size_t>(static_cast<const char*>(block) - g_pool) / kPage;
}

}  // namespace

void* PoolAllocate(size_t bytes) noexcept {
  if (bytes > sizeof(g_pool)) return nullptr;
  const size_t pages = bytes == 0 ? 1 : (bytes + kPage - 1) / kPage;
  // relaxed: the piece is private until its owner shares it.
  const size_t first = g_used_pages.fetch_add(pages, std::memory_order_relaxed);
  if (first + pages > kPages) return nullptr;
  g_piece_pages[first] = static_cast<uint16_t>(pages);
  char* const block = g_pool + first * kPage;
  g_filter.Add(reinterpret_cast<uintptr_t>(block));  // so that free() asks PoolOwns()
  return block;
}

bool PoolOwns(const void* block) noexcept {
  const uintptr_t at = reinterpret_cast<uintptr_t>(block);
  const uintptr_t start = reinterpret_cast<uintptr_t>(g_pool);
  return at >= start && at < start + sizeof(g_pool);
}

size_t PoolUsableSize(const void* block) noexcept { return g_piece_pages[PageOf(block)] * kPage; }

}  // namespace heapgauge
