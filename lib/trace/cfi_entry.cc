#include "trace/cfi_entry.h"

#include <algorithm>
#include <cstddef>

namespace heapgauge::cfi {
namespace {

// Longer lists than any compiler writes (the longest of a distribution has 2 KiB) are not run: the
// walk is inside somebody's malloc.
constexpr uint64_t kMostInstructionBytes = 64 * 1024;
// "zPLR" and the like.
constexpr int kMostLetters = 16;

// The record of .eh_frame that may cover `pc`: the last in the header's sorted table that begins at
// or before it.  nullptr: none.
const unsigned char* FindRecord(TableMemory& memory, const unsigned char* header,
                                uintptr_t pc) noexcept {
  constexpr size_t kRow = SortedTable::kRow;
  const SortedTable sorted(memory, header);
  const unsigned char* const table = sorted.rows;
  const uintptr_t base = reinterpret_cast<uintptr_t>(header);
  const int64_t wanted = static_cast<int64_t>(pc - base);
  size_t low = 0;
  size_t high = sorted.count;
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    if (!memory.Has(table + middle * kRow, kRow)) return nullptr;
    if (Load<int32_t>(table + middle * kRow) <= wanted) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  if (low == 0 || !memory.Has(table + (low - 1) * kRow, kRow)) return nullptr;
  const int64_t distance = Load<int32_t>(table + (low - 1) * kRow + 4);
  const uintptr_t record = base + static_cast<uintptr_t>(distance);
  return memory.Bounds(record, sizeof(uint32_t)) ? header + distance : nullptr;
}

// Length-prefixed record -> its content.  The 64-bit form is not used by any linker for .eh_frame.
Cursor Content(TableMemory& memory, const unsigned char* record) noexcept {
  Cursor whole(memory, record, memory.end());
  const uint32_t length = whole.Fixed<uint32_t>();
  if (length == 0xFFFFFFFFU) whole.Fail();
  return whole.Part(length);
}

bool ReadAugmentation(Cursor& cursor, const unsigned char* letters, Cie* cie) noexcept {
  if (*letters == '\0') return true;
  if (*letters != 'z') return false;
  cie->has_augmentation = true;
  Cursor data = cursor.Part(cursor.Unsigned());
  for (++letters; *letters != '\0'; ++letters) {
    switch (*letters) {
      case 'R':
        cie->pointer_encoding = data.Fixed<uint8_t>();
        break;
      case 'P': {
        const uint8_t encoding = data.Fixed<uint8_t>();
        // Only skipped, so an indirect pointer is as good as a direct one.
        data.Pointer(encoding & static_cast<uint8_t>(~kIndirect));
        break;
      }
      case 'L':
        data.Fixed<uint8_t>();
        break;
      case 'S':
        cie->is_signal_frame = true;
        break;
      default:
        return false;  // 'B': signed return addresses
    }
  }
  return data.ok();
}

bool ReadCie(Cursor cursor, Cie* cie) noexcept {
  if (cursor.Fixed<uint32_t>() != 0) return false;  // 0 marks a CIE
  const uint8_t version = cursor.Fixed<uint8_t>();
  if (version != 1 && version != 3) return false;
  const unsigned char* const letters = cursor.at();
  int count = 0;
  while (cursor.Fixed<uint8_t>() != 0) {
    if (++count > kMostLetters) return false;
  }
  cie->code_align = cursor.Unsigned();
  cie->data_align = cursor.Signed();
  cie->return_register = version == 1 ? cursor.Fixed<uint8_t>() : cursor.Unsigned();
  if (!cursor.ok() || !ReadAugmentation(cursor, letters, cie)) return false;
  cie->instructions = cursor;
  return cursor.ok() && cursor.left() <= kMostInstructionBytes;
}

}  // namespace

SortedTable::SortedTable(TableMemory& memory, const unsigned char* header) noexcept {
  constexpr uint8_t kVersion = 1;
  constexpr size_t kRowsAt = 12;
  // What every linker writes; anything else is not understood.
  if (!memory.Has(header, kRowsAt) || header[0] != kVersion ||
      header[1] != (kPcRelative | kSigned4) || header[2] != kUnsigned4 ||
      header[3] != (kDataRelative | kSigned4)) {
    return;
  }
  rows = header + kRowsAt;
  count =
      std::min<size_t>(Load<uint32_t>(header + 8), static_cast<size_t>(memory.end() - rows) / kRow);
}

bool FindEntry(TableMemory& memory, const unsigned char* header, uintptr_t pc,
               Entry* entry) noexcept {
  const unsigned char* const record = FindRecord(memory, header, pc);
  if (record == nullptr) return false;
  Cursor cursor = Content(memory, record);
  const uintptr_t distance_at = reinterpret_cast<uintptr_t>(cursor.at());
  const uint32_t distance = cursor.Fixed<uint32_t>();
  if (!cursor.ok() || distance == 0 || !memory.Bounds(distance_at - distance, sizeof(uint32_t)))
    return false;
  Cie& cie = entry->cie;
  if (!ReadCie(Content(memory, cursor.at() - sizeof(uint32_t) - distance), &cie) ||
      (cie.pointer_encoding & kIndirect) != 0) {
    return false;
  }
  entry->begin = cursor.Pointer(cie.pointer_encoding);
  const uintptr_t range = cursor.Pointer(cie.pointer_encoding & 0x0F);
  if (!cursor.ok() || pc - entry->begin >= range) return false;
  if (cie.has_augmentation) cursor.Skip(cursor.Unsigned());
  entry->instructions = cursor;
  return cursor.ok() && cursor.left() <= kMostInstructionBytes;
}

}  // namespace heapgauge::cfi
