#include "reporter/held_line.h"

#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>

#include "base/errno_keeper.h"
#include "base/raw_log.h"
#include "core_api/ended.h"

namespace heapgauge {
namespace {

enum State : int { kNone, kHeld, kBeingSaid };

std::atomic<int> g_state{kNone};
char g_line[1024];  // RawLog() cuts there, too
size_t g_bytes = 0;
pid_t g_owner = 0;  // a fork's child has the line as well, and is not to say it again

}  // namespace

void HoldLine(const char* line, size_t bytes) noexcept {
  // acquire: whoever said the last one has read it.
  if (g_state.load(std::memory_order_acquire) != kNone) return;
  g_bytes = std::min(bytes, sizeof(g_line));
  std::memcpy(g_line, line, g_bytes);
  g_owner = getpid();
  g_state.store(kHeld, std::memory_order_release);  // release: the line is whole
}

bool LineIsHeld() noexcept {
  return g_state.load(std::memory_order_relaxed) == kHeld;  // relaxed: nothing is read for it
}

void SayHeldLine(uint16_t ended) noexcept {
  int state = kHeld;
  if (!LineIsHeld() || (ended & kEndsPlainWords) != 0) return;
  const ErrnoKeeper errno_keeper;
  // acquire: the line is whole.  relaxed on failure: another thread says it.
  if (!g_state.compare_exchange_strong(state, kBeingSaid, std::memory_order_acquire,
                                       std::memory_order_relaxed)) {
    return;
  }
  if ((ended & kEndsAsking) != 0 || g_owner == getpid())
    WriteLogLine(STDERR_FILENO, g_line, g_bytes);
  g_state.store(kNone, std::memory_order_release);  // release: it has been read
}

}  // namespace heapgauge
