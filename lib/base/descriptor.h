// A file descriptor inside a host that must not notice it.
#ifndef HEAPGAUGE_BASE_DESCRIPTOR_H_
#define HEAPGAUGE_BASE_DESCRIPTOR_H_

#include <utility>

namespace heapgauge {

// The host may run with descriptors 0 to 2 closed and open its own files there.  Takes `fd` and
// returns it or its copy above 2; -1 with errno stays that.
int AboveStandard(int fd) noexcept;

class Descriptor final {
 public:
  Descriptor() noexcept = default;
  explicit Descriptor(int fd) noexcept : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor();

  // Opens a regular file, close-on-exec, never blocking (the name may have become a pipe), with a
  // number far from those a host counts on: low ones, and those it closes by loops.
  static Descriptor OpenToRead(const char* path) noexcept;

  // How many files could not be opened because of a limit on descriptors: what was found while that
  // number grew is no last answer.
  static unsigned refused() noexcept;

  bool valid() const noexcept { return fd_ >= 0; }
  int get() const noexcept { return fd_; }

 private:
  int fd_ = -1;
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_BASE_DESCRIPTOR_H_
