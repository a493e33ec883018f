#include "shim/bootstrap_pool.h"

#include <sys/mman.h>

#include <atomic>
#include <cstdint>

#include "core_api/core_api.h"
#include "shim/next_allocator.h"

namespace heapgauge {
namespace {

constexpr size_t kPage = Control::kAlignment;
constexpr size_t kPages = 32;  // seen in use: 0 to 2
constexpr size_t kMostPages = 512;

struct Part {
  std::atomic<char*> begin;
  size_t pages;
  std::atomic<size_t> used;
  uint16_t* piece_pages;  // by first page

  void* Allocate(size_t wanted) noexcept {
    if (begin.load(std::memory_order_acquire) == nullptr) return nullptr;  // acquire: `pages`
    // relaxed: the piece is private until its owner shares it.
    const size_t first = used.fetch_add(wanted, std::memory_order_relaxed);
    if (first + wanted > pages) return nullptr;
    piece_pages[first] = static_cast<uint16_t>(wanted);
    return begin.load(std::memory_order_relaxed) + first * kPage;  // relaxed: set once
  }
  bool Owns(const void* block) const noexcept {
    // relaxed: who holds a block of it has seen it set.
    const uintptr_t low = reinterpret_cast<uintptr_t>(begin.load(std::memory_order_relaxed));
    return reinterpret_cast<uintptr_t>(block) - low < pages * kPage;
  }
  size_t UsableSize(const void* block) const noexcept {
    const char* const low = begin.load(std::memory_order_relaxed);  // relaxed: as above
    return piece_pages[static_cast<size_t>(static_cast<const char*>(block) - low) / kPage] * kPage;
  }
};

// .bss: costs no memory until touched.
alignas(kPage) char g_first_pages[kPages * kPage];
uint16_t g_first_pieces[kPages];
uint16_t g_more_pieces[kMostPages];
Part g_first = {g_first_pages, kPages, 0, g_first_pieces};
Part g_more = {nullptr, 0, 0, g_more_pieces};

}  // namespace

void* PoolAllocate(size_t bytes) noexcept {
  if (bytes > kMostPages * kPage) return nullptr;
  const size_t pages = bytes == 0 ? 1 : (bytes + kPage - 1) / kPage;
  void* block = g_first.Allocate(pages);
  if (block == nullptr) block = g_more.Allocate(pages);
  // So that free() asks PoolOwns().
  if (block != nullptr) g_filter.Add(reinterpret_cast<uintptr_t>(block));
  return block;
}

void ExtendPool(size_t pages) noexcept {
  if (pages > kMostPages) pages = kMostPages;
  void* const room = mmap(nullptr, pages * kPage, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (room == MAP_FAILED) return;
  g_more.pages = pages;
  g_more.begin.store(static_cast<char*>(room), std::memory_order_release);  // release: `pages`
}

bool PoolOwns(const void* block) noexcept { return g_first.Owns(block) || g_more.Owns(block); }

size_t PoolUsableSize(const void* block) noexcept {
  return g_first.Owns(block) ? g_first.UsableSize(block) : g_more.UsableSize(block);
}

}  // namespace heapgauge
