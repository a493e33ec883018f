#include "shim/kept_blocks.h"

#include <atomic>
#include <cstdint>

#include "base/macros.h"
#include "core_api/core_api.h"
#include "shim/next_allocator.h"

namespace heapgauge {
namespace {

struct KeptBlock {
  KeptBlock* next;
};

struct List {
  size_t bytes;  // every block of it has room for so many
  size_t count;
  KeptBlock* newest;
};
List g_lists[] = {{64, 0, nullptr}, {256, 0, nullptr}, {1024, 0, nullptr}};
// Larger blocks are merged with their neighbours when they are released, and need no keeping.
constexpr size_t kLargestUsable = 2048;

std::atomic<bool> g_busy{false};

// Taken or not, never waited for: a signal handler may have interrupted the holder, or a fork left
// it behind.
class Attempt final {
 public:
  // acquire, and release below: hands the lists from one holder to the next.
  Attempt() noexcept : taken_(!g_busy.exchange(true, std::memory_order_acquire)) {}
  ~Attempt() {
    if (taken_) g_busy.store(false, std::memory_order_release);
  }
  Attempt(const Attempt&) = delete;
  Attempt& operator=(const Attempt&) = delete;
  bool taken() const noexcept { return taken_; }

 private:
  const bool taken_;
};

// The list whose blocks suffice for a request; nullptr when it is too large.
List* ListFor(size_t bytes) noexcept {
  for (List& list : g_lists) {
    if (bytes <= list.bytes) return &list;
  }
  return nullptr;
}

// The list that a block with that much room belongs to.
List* ListOf(size_t usable) noexcept {
  List* found = nullptr;
  for (List& list : g_lists) {
    if (list.bytes <= usable) found = &list;
  }
  return usable < kLargestUsable ? found : nullptr;
}

}  // namespace

size_t KeepableSize(size_t bytes) noexcept {
  const List* const list = ListFor(bytes);
  return list != nullptr ? list->bytes : bytes;
}

void* TakeKept(size_t bytes) noexcept {
  List* const list = ListFor(bytes);
  if (list == nullptr) return nullptr;
  const Attempt attempt;
  if (!attempt.taken() || list->newest == nullptr) return nullptr;
  KeptBlock* const block = list->newest;
  list->newest = block->next;
  --list->count;
  return block;
}

bool Keep(void* block) noexcept {
  if (reinterpret_cast<uintptr_t>(block) % Control::kAlignment != 0) return false;
  List* const list = ListOf(g_next.usable_size(block));
  if (list == nullptr) return false;
  const Attempt attempt;
  if (!attempt.taken() || list->count == kMostKept) return false;
  KeptBlock* const kept = static_cast<KeptBlock*>(block);
  kept->next = list->newest;
  list->newest = kept;
  ++list->count;
  return true;
}

}  // namespace heapgauge
