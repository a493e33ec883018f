#include "base/descriptor.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>

namespace heapgauge {
namespace {

// Above what shells and servers hand out by hand; below the usual soft limit of 1024.
constexpr int kPreferredNumber = 600;

std::atomic<unsigned> g_refused{0};

}  // namespace

Descriptor::~Descriptor() {
  if (fd_ >= 0) close(fd_);
}

unsigned Descriptor::refused() noexcept {
  return g_refused.load(std::memory_order_relaxed);  // relaxed: likewise
}

Descriptor Descriptor::OpenToRead(const char* path) noexcept {
  const Descriptor low(open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  if (!low.valid() && (errno == EMFILE || errno == ENFILE))
    g_refused.fetch_add(1, std::memory_order_relaxed);  // relaxed: a number on its own
  struct stat status;
  if (!low.valid() || fstat(low.get(), &status) != 0 || !S_ISREG(status.st_mode)) return {};
  int fd = fcntl(low.get(), F_DUPFD_CLOEXEC, kPreferredNumber);
  if (fd < 0) fd = CopyAboveStandard(low.get());                  // under a small ulimit -n
  if (fd < 0) g_refused.fetch_add(1, std::memory_order_relaxed);  // relaxed: a number on its own
  return Descriptor(fd);
}

}  // namespace heapgauge
