// The names in a directory, without an allocation.
#ifndef HEAPGAUGE_SHIM_DIRECTORY_ENTRIES_H_
#define HEAPGAUGE_SHIM_DIRECTORY_ENTRIES_H_

#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace heapgauge {

// Of getdents64(2).
struct DirectoryEntry {
  uint64_t inode;
  int64_t next;
  uint16_t length;
  uint8_t type;
  char name[];
};

// Calls `use` with each name, `.` and `..` too, until it returns false or `most` were seen.
// Changes errno.
template <typename Use>
void ForEachName(int directory, int most, Use use) noexcept {
  alignas(DirectoryEntry) char room[4096];
  for (long got; (got = syscall(SYS_getdents64, directory, room, sizeof(room))) > 0;) {
    for (long at = 0; at < got; --most) {
      const auto* const entry = reinterpret_cast<const DirectoryEntry*>(room + at);
      if (most <= 0 || !use(entry->name)) return;
      at += entry->length;
    }
  }
}

}  // namespace heapgauge

#endif  // HEAPGAUGE_SHIM_DIRECTORY_ENTRIES_H_
