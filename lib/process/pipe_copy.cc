#include "process/pipe_copy.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>

#include "base/descriptor.h"

namespace heapgauge {

PipeCopy::PipeCopy() noexcept {
  int ends[2];
  if (syscall(SYS_pipe2, ends, O_CLOEXEC | O_NONBLOCK) != 0) return;
  for (int& end : ends) end = AboveStandard(end);
  if (ends[0] >= 0 && ends[1] >= 0) {
    ends_[0] = ends[0];
    ends_[1] = ends[1];
    return;
  }
  for (const int end : ends) {
    if (end >= 0) syscall(SYS_close, end);
  }
}

PipeCopy::~PipeCopy() {
  for (const int end : ends_) {
    if (end >= 0) syscall(SYS_close, end);
  }
}

bool PipeCopy::Copy(void* to, uintptr_t from, size_t bytes) const noexcept {
  const long taken = syscall(SYS_write, ends_[1], from, bytes);
  if (taken <= 0) return false;
  // What was taken must leave the pipe, even if it is not all.
  return syscall(SYS_read, ends_[0], to, static_cast<size_t>(taken)) == taken &&
         static_cast<size_t>(taken) == bytes;
}

void PipeCopy::Copy(void* to, const uintptr_t* from, size_t count, size_t bytes,
                    bool* read) const noexcept {
  std::array<iovec, kMostPlaces> places;
  for (size_t i = 0; i < count; ++i) places[i] = {reinterpret_cast<void*>(from[i]), bytes};
  char* const out = static_cast<char*>(to);
  const long taken = syscall(SYS_writev, ends_[1], places.data(), count);
  const bool all = taken == static_cast<long>(count * bytes);
  if (taken > 0 && syscall(SYS_read, ends_[0], out, static_cast<size_t>(taken)) != taken) {
    for (size_t i = 0; i < count; ++i) read[i] = false;
    return;
  }
  for (size_t i = 0; i < count; ++i) read[i] = all || Copy(out + i * bytes, from[i], bytes);
}

}  // namespace heapgauge
