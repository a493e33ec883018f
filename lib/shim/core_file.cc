#include "shim/core_file.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>

#include "elf/module_layout.h"

namespace heapgauge {
namespace {

// A file's bytes at their offsets, for what reads headers (elf/module_memory.h).
class FileMemory final {
 public:
  static constexpr bool kTrusted = false;
  explicit FileMemory(int file) noexcept : file_(file) {}
  template <typename Entry>
  const Entry* Get(uintptr_t at, Entry* room) const noexcept {
    const ssize_t got = pread(file_, room, sizeof(Entry), static_cast<off_t>(at));
    return got == static_cast<ssize_t>(sizeof(Entry)) ? room : nullptr;
  }

 private:
  const int file_;
};

bool IsWhole(int file) noexcept {
  struct stat info;
  if (fstat(file, &info) != 0 || !S_ISREG(info.st_mode)) return false;
  const auto size = static_cast<uint64_t>(info.st_size);
  FileMemory memory(file);
  ProgramHeaders headers;
  if (!FindHeaders(memory, 0, &headers) || headers.type != ET_DYN) return false;
  bool whole = true;
  const bool readable =
      VisitSegments(memory, headers, 0, [&](const ElfW(Phdr) & segment, const AddressRange&) {
        if (segment.p_type != PT_LOAD) return;
        if (segment.p_offset > size || segment.p_filesz > size - segment.p_offset) whole = false;
      });
  return readable && whole;
}

}  // namespace

bool MayBeLoaded(const char* path) noexcept {
  // For a moment, and perhaps with a number below 3: the loader is about to do the same.
  const int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (file < 0) return true;
  const bool whole = IsWhole(file);
  close(file);
  return whole;
}

}  // namespace heapgauge
