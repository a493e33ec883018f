// Where unwind tables may be read: the module that they claim to be of, as far as its pages are
// there.
//
// The tables are foreign input.  A count, a distance or a length that lies leads anywhere; a module
// has holes between its segments; its file may be cut short at any time.  So every read is within
// the bounds that the loader keeps, and from a page that can be read (base/readable.h).
#ifndef HEAPGAUGE_TRACE_TABLE_MEMORY_H_
#define HEAPGAUGE_TRACE_TABLE_MEMORY_H_

#include <cstddef>
#include <cstdint>

#include "base/address_range.h"
#include "base/readable.h"

namespace heapgauge {

class TableMemory final {
 public:
  // `asked`: what the walk has asked about before, for one walk reads the same pages for many
  // frames.
  TableMemory(const void* begin, const void* end, ReadablePages* asked = nullptr) noexcept
      : begin_(static_cast<const unsigned char*>(begin)),
        end_(static_cast<const unsigned char*>(end)),
        pages_(asked != nullptr ? *asked : own_) {}
  explicit TableMemory(const AddressRange& module, ReadablePages* asked = nullptr) noexcept
      : TableMemory(reinterpret_cast<const void*>(module.begin),
                    reinterpret_cast<const void*>(module.end), asked) {}
  TableMemory(const TableMemory&) = delete;
  TableMemory& operator=(const TableMemory&) = delete;

  const unsigned char* end() const noexcept { return end_; }
  // Compared as numbers: what was made of a distance that lies is no pointer into anything.
  bool Bounds(uintptr_t at, uint64_t bytes) const noexcept {
    const uintptr_t begin = reinterpret_cast<uintptr_t>(begin_);
    const uintptr_t end = reinterpret_cast<uintptr_t>(end_);
    return at >= begin && at <= end && bytes <= end - at;
  }
  bool Has(const unsigned char* at, uint64_t bytes) noexcept {
    return Bounds(reinterpret_cast<uintptr_t>(at), bytes) && pages_.Has(at, bytes);
  }

 private:
  const unsigned char* const begin_;
  const unsigned char* const end_;
  ReadablePages own_;
  ReadablePages& pages_;
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_TRACE_TABLE_MEMORY_H_
