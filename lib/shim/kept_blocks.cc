#include "shim/kept_blocks.h"

#include <stdlib.h>
#include <string.h>

#include <atomic>
#include <cstdint>

#include "base/macros.h"
#include "core_api/core_api.h"
#include "shim/next_allocator.h"

namespace heapgauge {
namespace {

constexpr uint32_t kSlots = 8192;  // up to 9 MiB of kept blocks
constexpr uint32_t kProbes = 8;
constexpr uint32_t kNone = kSlots;
constexpr uintptr_t kFree = 0;
constexpr uintptr_t kTaken = 1;  // no block any more, but still in its stack

// A block's place is near its page's number, so that it is found by address.
struct Slot {
  std::atomic<uintptr_t> block{kFree};
  std::atomic<uint32_t> next{kNone};  // in the stack of its size
  // What the program had asked for; written and read by whoever moves `block` from or to it, and
  // both are the program's to order: a second free() that races with the first says anything.
  std::atomic<uint32_t> bytes{0};
};
Slot g_slots[kSlots];  // .bss: costs what is touched

struct Stack {
  size_t bytes;  // every block of it has room for so many
  // Slot on top, and in the high half a count of changes: a top that went and came back is another.
  std::atomic<uint64_t> top{kNone};
};
Stack g_stacks[] = {{64}, {256}, {1024}};
std::atomic<bool> g_allowed{false};
// Larger blocks are merged with their neighbours when they are released, and need no keeping.
constexpr size_t kLargestUsable = 2048;
// A block that lies so may have been asked for so, by a program that never asks for its size, which
// allocators know less well: mimalloc 2.0.9 answers with a wrong one, or, built with its assertions,
// ends the program.
constexpr size_t kLargeAlignment = 1 << 20;

uint64_t After(uint64_t top, uint32_t slot) noexcept { return (((top >> 32) + 1) << 32) | slot; }

void Push(Stack& stack, uint32_t slot) noexcept {
  uint64_t top = stack.top.load(std::memory_order_relaxed);  // relaxed: the exchange tells
  do {
    // relaxed: published by the exchange.
    g_slots[slot].next.store(static_cast<uint32_t>(top), std::memory_order_relaxed);
  } while (!stack.top.compare_exchange_weak(top, After(top, slot), std::memory_order_release,
                                            std::memory_order_relaxed));
}

uint32_t Pop(Stack& stack) noexcept {
  // acquire, here and below: pairs with the release of Push(); the slot's next is what it wrote.
  uint64_t top = stack.top.load(std::memory_order_acquire);
  for (;;) {
    const uint32_t slot = static_cast<uint32_t>(top);
    if (slot == kNone) return kNone;
    // relaxed: wrong only when the top has changed, and then the exchange fails.
    const uint32_t next = g_slots[slot].next.load(std::memory_order_relaxed);
    if (stack.top.compare_exchange_weak(top, After(top, next), std::memory_order_acquire,
                                        std::memory_order_acquire)) {
      return slot;
    }
  }
}

uint32_t Home(uintptr_t block) noexcept {
  return static_cast<uint32_t>(block / Control::kAlignment % kSlots);
}

// Changes one of the slots of `block` from one value to another; kNone when none has it.
uint32_t Change(uintptr_t block, uintptr_t from, uintptr_t to) noexcept {
  for (uint32_t i = 0; i < kProbes; ++i) {
    const uint32_t slot = (Home(block) + i) % kSlots;
    uintptr_t seen = from;
    // relaxed: an address and no more; the block's content is the program's to order.
    if (g_slots[slot].block.load(std::memory_order_relaxed) == from &&
        g_slots[slot].block.compare_exchange_strong(seen, to, std::memory_order_acq_rel,
                                                    std::memory_order_relaxed)) {
      return slot;
    }
  }
  return kNone;
}

// The stack whose blocks suffice for a request; nullptr when it is too large.
Stack* StackFor(size_t bytes) noexcept {
  for (Stack& stack : g_stacks) {
    if (bytes <= stack.bytes) return &stack;
  }
  return nullptr;
}

// The stack that a block with that much room belongs to.
Stack* StackOf(size_t usable) noexcept {
  Stack* found = nullptr;
  for (Stack& stack : g_stacks) {
    if (stack.bytes <= usable) found = &stack;
  }
  return usable < kLargestUsable ? found : nullptr;
}

}  // namespace

void AllowKeeping() noexcept {
  for (const char* const name : {"MALLOC_CHECK_", "MALLOC_PERTURB_", "MALLOC_TRACE"}) {
    if (getenv(name) != nullptr) return;
  }
  const char* const tunables = getenv("GLIBC_TUNABLES");
  if (tunables != nullptr && strstr(tunables, "glibc.malloc.") != nullptr) return;
  g_allowed.store(true, std::memory_order_relaxed);  // relaxed: seen late, a block is released
}

size_t KeepableSize(size_t bytes) noexcept {
  const Stack* const stack = StackFor(bytes);
  return stack != nullptr ? stack->bytes : bytes;
}

void* TakeKept(size_t bytes) noexcept {
  Stack* const stack = StackFor(bytes);
  if (stack == nullptr) return nullptr;
  for (uint32_t slot = Pop(*stack); slot != kNone; slot = Pop(*stack)) {
    // acq_rel: from who kept it to who takes it, and the empty slot to the next.
    const uintptr_t block = g_slots[slot].block.exchange(kFree, std::memory_order_acq_rel);
    if (block == kTaken) continue;
    g_filter.Remove(block);
    return reinterpret_cast<void*>(block);
  }
  return nullptr;
}

bool Keep(void* block, size_t bytes) noexcept {
  const uintptr_t address = reinterpret_cast<uintptr_t>(block);
  // relaxed: as above.
  if (address % Control::kAlignment != 0 || !g_allowed.load(std::memory_order_relaxed)) {
    return false;
  }
  if (address % kLargeAlignment == 0) return false;
  Stack* const stack = StackOf(g_next.usable_size(block));
  if (stack == nullptr) return false;
  g_filter.Add(address);  // first (K2)
  const uint32_t slot = Change(address, kFree, address);
  if (slot == kNone) {
    g_filter.Remove(address);
    return false;
  }
  g_slots[slot].bytes.store(static_cast<uint32_t>(bytes), std::memory_order_relaxed);  // see there
  Push(*stack, slot);
  return true;
}

bool Unkeep(void* block, size_t* bytes) noexcept {
  const uintptr_t address = reinterpret_cast<uintptr_t>(block);
  if (address % Control::kAlignment != 0) return false;
  const uint32_t slot = Change(address, address, kTaken);
  if (slot == kNone) return false;
  *bytes = g_slots[slot].bytes.load(std::memory_order_relaxed);  // see there
  g_filter.Remove(address);
  return true;
}

}  // namespace heapgauge
