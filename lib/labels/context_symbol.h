// Where a thread-local variable that modules export lies, seen from any thread.
//
// Static thread-local storage is at the same distance from each thread's pointer; which distance,
// the loader has written into the module's own words (relocations TPOFF and TLSDESC).  Other
// storage is had by the thread's vector of blocks, as glibc keeps it: a thread that has not touched
// its block yet has none, and asking for it would allocate.
#ifndef HEAPGAUGE_LABELS_CONTEXT_SYMBOL_H_
#define HEAPGAUGE_LABELS_CONTEXT_SYMBOL_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/address_range.h"

struct dl_phdr_info;

namespace heapgauge {

struct ContextPlace {
  int64_t distance = 0;      // from the thread's pointer, where `is_static`
  uint64_t module = 0;       // else: the number of its block
  uint64_t offset = 0;       // in the block
  uint64_t block_bytes = 0;  // of the block that `offset` counts in; 0: not known
  bool is_static = false;

  bool operator==(const ContextPlace&) const noexcept = default;
};

struct ContextPlaces {
  static constexpr size_t kMost = 4;  // a program with more SDKs has each its own
  std::array<ContextPlace, kMost> places{};
  size_t count = 0;

  bool operator==(const ContextPlaces&) const noexcept = default;
};

// All that loaded modules export under `name`, in their order.  Takes the loader's lock.
ContextPlaces FindThreadLocal(const char* name) noexcept;

// Where the calling thread's variable lies; 0: it has none yet.  `block` is the part of its
// thread-local storage that surely is there around it.
uintptr_t AddressOf(const ContextPlace& place, AddressRange* block) noexcept;

}  // namespace heapgauge

#endif  // HEAPGAUGE_LABELS_CONTEXT_SYMBOL_H_
