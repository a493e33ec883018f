// Memory of this process, read while the program goes on: nothing faults, whatever is unmapped
// meanwhile, and no page is touched that is not resident, so that reading costs the host no memory.
//
// Through process_vm_readv() on ourselves, or on a copy of ourselves (memory_copy.h).  Which pages
// are there says /proc/thread-self/pagemap.  What is not there, or can't be read, reads as zero.
//
// Report thread only.
#ifndef HEAPGAUGE_GRAPH_OWN_READER_H_
#define HEAPGAUGE_GRAPH_OWN_READER_H_

#include <sys/types.h>
#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/descriptor.h"

namespace heapgauge {

class OwnReader final {
 public:
  static constexpr size_t kMostPieces = 64;

  OwnReader() noexcept = default;
  OwnReader(const OwnReader&) = delete;
  OwnReader& operator=(const OwnReader&) = delete;

  // Whether this process may be read at all: a filter of system calls may refuse.
  bool Works() noexcept;

  // From now on a copy of this process is read; 0: this process again.
  void SetCopy(pid_t copy) noexcept { copy_ = copy; }

  // Around a stretch of reading: what is known of pages is forgotten, and no file is kept open over
  // the pauses in between.
  void Begin() noexcept;
  void End() noexcept { pagemap_.reset(); }

  // The kernel has refused something: what was read is not to be believed.
  bool broken() const noexcept { return broken_; }
  // Pages that were met in the swap, where they were left: what they hold is not known.
  uint64_t swapped() const noexcept { return swapped_; }

  // What is known of the pages around, which the host may have touched since.
  void Forget(uintptr_t address) noexcept;

  // Copies.  False: none of it was there, and `to` is all zero.
  bool Read(uintptr_t from, size_t bytes, void* to) noexcept;

  // Copies `count` small pieces one behind the other, in one call as a rule.
  struct Piece {
    uintptr_t from;
    size_t bytes;
    uintptr_t end() const noexcept { return from + bytes; }
  };
  void Gather(const Piece* pieces, size_t count, void* to) noexcept;

  // Of [begin, end): the first resident page at or behind `begin`, or `end`.
  uintptr_t NextResident(uintptr_t begin, uintptr_t end) noexcept;

  uint64_t bytes_read() const noexcept { return bytes_read_; }

 private:
  static constexpr size_t kPage = 4096;
  static constexpr size_t kWindowPages = 512;
  static constexpr size_t kWindows = 64;
  struct Window {
    uintptr_t first_page = 0;  // 0: not known
    uint64_t resident[kWindowPages / 64] = {};
  };

  const Window& WindowOf(uintptr_t page) noexcept;
  bool IsResident(uintptr_t page) noexcept;
  long ReadVector(const iovec* to, const iovec* from, size_t from_count) const noexcept;
  size_t Copy(uintptr_t from, size_t bytes, void* to) noexcept;

  std::optional<Descriptor> pagemap_;
  pid_t copy_ = 0;
  bool broken_ = false;
  uint64_t swapped_ = 0;
  uint64_t bytes_read_ = 0;
  Window windows_[kWindows];
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_GRAPH_OWN_READER_H_
