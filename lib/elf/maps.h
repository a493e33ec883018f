// What is mapped where: the lines of /proc/PID/maps, of this process or another one.
//
// The one reader of them, for the hooks, the core and the command alike: no allocation, no
// cancellation point, no descriptor below 3, errno as it was.  The names in it are whatever somebody
// called a file; a line that is none is passed over.
#ifndef HEAPGAUGE_ELF_MAPS_H_
#define HEAPGAUGE_ELF_MAPS_H_

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/address_range.h"

namespace heapgauge {

struct MapsLine {
  AddressRange range;
  bool readable = false;
  bool writable = false;
  bool executable = false;
  uint64_t offset = 0;    // in the file, of the range's first byte
  std::string_view path;  // "" for memory without a name; "[stack]" and the like are the kernel's
};

// One line, without the newline.  `path` is a view into it.
bool ParseMapsLine(std::string_view text, MapsLine* line) noexcept;

class MapsReader final {
 public:
  // A line that is longer than the room is passed over: 20 KiB hold the longest name that there is.
  static constexpr size_t kRoomForAll = size_t{20} * 1024;

  // Of the process, or of this one.  Reads into `room`, which must outlive the reader.
  static constexpr pid_t kSelf = 0;
  MapsReader(pid_t pid, std::span<char> room) noexcept;
  // The same of an open file, which is closed in the end.
  struct File {
    int descriptor;
  };
  MapsReader(File file, std::span<char> room) noexcept : room_(room), file_(file.descriptor) {}
  ~MapsReader();
  MapsReader(const MapsReader&) = delete;
  MapsReader& operator=(const MapsReader&) = delete;

  // False at the end, and when the rest can't be read.  `line->path` is good until the next call.
  bool Next(MapsLine* line) noexcept;

  // False: there is no such process, or it is not ours to look at.
  bool opened() const noexcept { return file_ >= 0; }
  // Of text, so far: what another process shows is as long as it likes.
  uint64_t bytes_read() const noexcept { return bytes_read_; }

 private:
  bool ReadMore() noexcept;

  const std::span<char> room_;
  const int file_;
  size_t begin_ = 0;      // of what is not yet told, in the room
  size_t end_ = 0;        // behind what was read
  bool in_long_ = false;  // the rest of the line at hand is passed over
  uint64_t bytes_read_ = 0;
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_ELF_MAPS_H_
