#ifndef HEAPGAUGE_SHIM_READ_ONLY_PAGES_H_
#define HEAPGAUGE_SHIM_READ_ONLY_PAGES_H_

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>

#include "base/address_range.h"
#include "base/descriptor.h"

namespace heapgauge {

// What of the address space is read-only, as the kernel tells it.  Read once in a pass, when it
// is first asked for: such pages stay read-only, for the loader makes them so when it is done with
// a module.
class ReadOnlyPages final {
 public:
  constexpr ReadOnlyPages() noexcept = default;
  ~ReadOnlyPages() {
    if (text_ != nullptr) munmap(text_, kRoom);
  }
  ReadOnlyPages(const ReadOnlyPages&) = delete;
  ReadOnlyPages& operator=(const ReadOnlyPages&) = delete;

  bool Holds(const AddressRange& range) noexcept {
    if (!read_) Read();
    for (const char* line = text_; line != nullptr && *line != '\0';) {
      char* at;
      const uintptr_t begin = strtoul(line, &at, 16);
      const uintptr_t end = *at == '-' ? strtoul(at + 1, &at, 16) : 0;
      if (range.begin >= begin && range.begin < end) {
        return range.end <= end && strncmp(at, " r-", 3) == 0;
      }
      line = strchr(line, '\n');
      if (line != nullptr) ++line;
    }
    return false;
  }

 private:
  static constexpr size_t kRoom = size_t{16} << 20;  // some 150,000 lines

  void Read() noexcept {
    read_ = true;
    void* const room = mmap(nullptr, kRoom, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (room == MAP_FAILED) return;
    text_ = static_cast<char*>(room);
    ReadMaps();
  }
  // Through syscall(): libc's are cancellation points.  Never one of the host's standard three.
  void ReadMaps() noexcept {
    const int fd = AboveStandard(
        static_cast<int>(syscall(SYS_openat, AT_FDCWD, "/proc/self/maps", O_RDONLY | O_CLOEXEC)));
    if (fd < 0) return;
    size_t used = 0;
    while (used < kRoom - 1) {
      const long got = syscall(SYS_read, fd, text_ + used, kRoom - 1 - used);
      if (got <= 0) break;
      used += static_cast<size_t>(got);
    }
    syscall(SYS_close, fd);
  }

  bool read_ = false;
  char* text_ = nullptr;
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_SHIM_READ_ONLY_PAGES_H_
