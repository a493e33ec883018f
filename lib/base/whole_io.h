// read(2) and write(2) until all is done: interrupted and short calls are gone on with.
#ifndef HEAPGAUGE_BASE_WHOLE_IO_H_
#define HEAPGAUGE_BASE_WHOLE_IO_H_

#include <unistd.h>

#include <cerrno>
#include <string>
#include <string_view>

namespace heapgauge {

// False, and errno, when not all of it could be written.
inline bool WriteAll(int fd, std::string_view content) {
  while (!content.empty()) {
    const ssize_t written = write(fd, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    content.remove_prefix(static_cast<size_t>(written));
  }
  return true;
}

// Appends what `fd` has until its end.  False, and errno, when reading failed or it has more than
// `most_bytes`.
inline bool ReadAll(int fd, size_t most_bytes, std::string* content) {
  char piece[16 * 1024];
  while (content->size() <= most_bytes) {
    const ssize_t got = read(fd, piece, sizeof(piece));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return got == 0;
    content->append(piece, static_cast<size_t>(got));
  }
  errno = EFBIG;
  return false;
}

}  // namespace heapgauge

#endif  // HEAPGAUGE_BASE_WHOLE_IO_H_
