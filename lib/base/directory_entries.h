// The names in a directory, without an allocation.
#ifndef HEAPGAUGE_BASE_DIRECTORY_ENTRIES_H_
#define HEAPGAUGE_BASE_DIRECTORY_ENTRIES_H_

#include <stdint.h>
#include <sys/syscall.h>

#include "base/raw_syscall.h"

namespace heapgauge {

// Of getdents64(2).
struct DirectoryEntry {
  uint64_t inode;
  int64_t next;
  uint16_t length;
  uint8_t type;
  char name[];
};

// Calls `use` with each name, `.` and `..` too, until it returns false or `most` were seen.  True: all
// that there are.
template <typename Use>
bool ForEachName(int directory, int most, Use use) noexcept {
  alignas(DirectoryEntry) char room[4096];
  for (;;) {
    const long got = RawSyscall(SYS_getdents64, directory, room, sizeof(room));
    if (got <= 0) return got == 0;
    for (long at = 0; at < got; --most) {
      const auto* const entry = reinterpret_cast<const DirectoryEntry*>(room + at);
      if (most <= 0 || !use(entry->name)) return false;
      at += entry->length;
    }
  }
}

}  // namespace heapgauge

#endif  // HEAPGAUGE_BASE_DIRECTORY_ENTRIES_H_
