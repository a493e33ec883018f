// How `heapgauge run` asks the processes below it for a report before it passes SIGTERM on to one.
//
// No signal, no handler, nothing in the environment: run holds a page in memory (a sealed memfd, so
// that nobody can cut it short below a reader), and a report thread looks upwards in /proc for an
// ancestor that holds one under this name.  It maps the page, and from then on a look is one load.
// Who is there and who has answered is said by locks on the page's file, which the kernel takes
// away with the process that holds them, however that ends.
//
// P1  Requests are numbered, from 1.  A process that listens holds a shared lock (F_OFD_SETLK) on
//     all bytes from that of the first request it has not answered yet.
// P2  run raises the number to n; nobody is left to wait for when no lock covers byte n.
// P3  Run writes the page, the others only read it.  Neither waits for the other without a bound.
#ifndef HEAPGAUGE_CORE_API_RUN_PAGE_H_
#define HEAPGAUGE_CORE_API_RUN_PAGE_H_

#include <fcntl.h>
#include <sys/types.h>

#include <atomic>
#include <cstdint>

namespace heapgauge {

struct RunPage {
  static constexpr char kName[] = "heapgauge-run";
  static constexpr uint64_t kMagic = 0x31'4E'55'52'47'50'41'48;
  static constexpr unsigned kSignalBits = 8;

  uint64_t magic = kMagic;
  // The newest request's number, and below it the signal that is to follow.
  std::atomic<uint32_t> request{0};

  static constexpr uint32_t NumberOf(uint32_t request) noexcept { return request >> kSignalBits; }
  static constexpr int SignalOf(uint32_t request) noexcept {
    return static_cast<int>(request & ((1U << kSignalBits) - 1));
  }
};
static_assert(std::atomic<uint32_t>::is_always_lock_free, "two processes share it");

// For F_OFD_SETLK and F_OFD_GETLK: `count` bytes from `first`, 0: all that follow.
inline struct flock RunPageBytes(short type, uint32_t first, uint32_t count) noexcept {
  struct flock bytes {};
  bytes.l_type = type;
  bytes.l_whence = SEEK_SET;
  bytes.l_start = static_cast<off_t>(first);
  bytes.l_len = static_cast<off_t>(count);
  return bytes;
}

}  // namespace heapgauge

#endif  // HEAPGAUGE_CORE_API_RUN_PAGE_H_
