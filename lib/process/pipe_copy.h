// Memory of this process that may not be there, copied: what can't be read is left out, and nothing
// faults.
//
// Through a pipe: the kernel takes the bytes and gives them back.  process_vm_readv() would be one
// call less, but filters of system calls that let it pass are rare.  Report thread.
#ifndef HEAPGAUGE_PROCESS_PIPE_COPY_H_
#define HEAPGAUGE_PROCESS_PIPE_COPY_H_

#include <cstddef>
#include <cstdint>

namespace heapgauge {

class PipeCopy final {
 public:
  static constexpr size_t kMostBytes = 4096;  // of one copy
  static constexpr size_t kMostPlaces = 192;

  // Opens the pipe; its ends are closed when a program is executed, and above the standard three.
  PipeCopy() noexcept;
  ~PipeCopy();
  PipeCopy(const PipeCopy&) = delete;
  PipeCopy& operator=(const PipeCopy&) = delete;

  bool valid() const { return ends_[0] >= 0; }

  // At most kMostBytes.
  bool Copy(void* to, uintptr_t from, size_t bytes) const noexcept;

  // From `count` places, at most kMostPlaces, `bytes` each, at most kMostBytes together; read[i]:
  // whether the i-th could be read.
  void Copy(void* to, const uintptr_t* from, size_t count, size_t bytes, bool* read) const noexcept;

 private:
  int ends_[2] = {-1, -1};
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_PROCESS_PIPE_COPY_H_
