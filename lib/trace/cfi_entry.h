// What .eh_frame has of one function: how to find it, and its two lists of instructions.
#ifndef HEAPGAUGE_TRACE_CFI_ENTRY_H_
#define HEAPGAUGE_TRACE_CFI_ENTRY_H_

#include <cstddef>
#include <cstdint>

#include "trace/cfi_cursor.h"

namespace heapgauge::cfi {

struct Cie {
  uint64_t code_align = 1;
  int64_t data_align = 1;
  uint64_t return_register = 0;
  uint8_t pointer_encoding = kAbsolute;
  bool has_augmentation = false;
  bool is_signal_frame = false;
  Cursor instructions;
};

struct Entry {
  Cie cie;
  uintptr_t begin = 0;  // of the function
  Cursor instructions;
};

// The rows of a header (.eh_frame_hdr), sorted by function: none where it is not understood, and
// none that would lie behind `memory`.
struct SortedTable {
  static constexpr size_t kRow = 8;  // two 32-bit distances from the header: function, entry

  SortedTable(TableMemory& memory, const unsigned char* header) noexcept;

  const unsigned char* rows = nullptr;
  size_t count = 0;
};

// Finds the entry whose function holds `pc` by the header (.eh_frame_hdr).  False where there is
// none, or it is not understood, or anything about it leads out of `memory`.
bool FindEntry(TableMemory& memory, const unsigned char* header, uintptr_t pc,
               Entry* entry) noexcept;

}  // namespace heapgauge::cfi

#endif  // HEAPGAUGE_TRACE_CFI_ENTRY_H_
