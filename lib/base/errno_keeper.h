// Restores errno at the end of a scope: hosts read errno after malloc and free.
#ifndef HEAPGAUGE_BASE_ERRNO_KEEPER_H_
#define HEAPGAUGE_BASE_ERRNO_KEEPER_H_

#include <cerrno>

namespace heapgauge {

class ErrnoKeeper final {
 public:
  ErrnoKeeper() noexcept : saved_(errno) {}
  ~ErrnoKeeper() { errno = saved_; }
  ErrnoKeeper(const ErrnoKeeper&) = delete;
  ErrnoKeeper& operator=(const ErrnoKeeper&) = delete;

 private:
  const int saved_;
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_BASE_ERRNO_KEEPER_H_
