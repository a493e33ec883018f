#include "base/raw_log.h"

#include <poll.h>
#include <signal.h>
#include <sys/select.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstring>

#include "base/signal_mask.h"

namespace heapgauge {

std::atomic<LogLevel> g_log_level{LogLevel::kWarning};
std::atomic<LogSink> g_log_sink{nullptr};

namespace {

bool TakesMore(int descriptor) noexcept {
  pollfd room = {descriptor, POLLOUT, 0};
  const int ready = poll(&room, 1, 0);
  if (ready >= 0) return ready == 1 && (room.revents & POLLOUT) != 0;
  // poll() is refused where the limit on descriptors is zero, select() is not.
  if (errno != EINVAL || descriptor < 0 || descriptor >= FD_SETSIZE) return false;
  fd_set one;
  FD_ZERO(&one);
  FD_SET(descriptor, &one);
  timeval now = {0, 0};
  return select(descriptor + 1, nullptr, &one, nullptr, &now) == 1;
}

// A pipe that nobody reads; a file that may not grow.
constexpr uint64_t kOfWriting = SignalMask::Of(SIGPIPE) | SignalMask::Of(SIGXFSZ);

void WritePlainly(int descriptor, const char* line, size_t bytes) noexcept {
  const uint64_t before = SignalMask::Change(SIG_BLOCK, kOfWriting);
  // Nothing may take that signal back: it stays pending, and blocked.
  if (::write(descriptor, line, bytes) < 0 && (errno == EPIPE || errno == EFBIG)) return;
  SignalMask::Change(SIG_SETMASK, before);
}

}  // namespace

void WriteLogLine(int descriptor, const char* line, size_t bytes) noexcept {
  if (g_plain_words.load(std::memory_order_relaxed)) {  // relaxed: of the thread that it concerns
    return WritePlainly(descriptor, line, bytes);
  }
  if (!TakesMore(descriptor)) return;
  sigset_t pending;
  sigpending(&pending);
  const SignalsBlocked blocked(kOfWriting);
  if (::write(descriptor, line, bytes) >= 0 || (errno != EPIPE && errno != EFBIG)) return;
  const int signal = errno == EPIPE ? SIGPIPE : SIGXFSZ;
  if (sigismember(&pending, signal) != 0) return;
  // Ours, and sent to this thread: taken back before it can be delivered.
  sigset_t taken;
  sigemptyset(&taken);
  sigaddset(&taken, signal);
  const timespec now = {0, 0};
  while (sigtimedwait(&taken, nullptr, &now) < 0 && errno == EINTR) {
  }
}

void RawLog(LogLevel level, const char* format, ...) noexcept {
  // relaxed: see the declaration.
  if (level > g_log_level.load(std::memory_order_relaxed)) return;
  const int saved_errno = errno;
  char line[1024] = "heapgauge: ";
  const size_t prefix = std::strlen(line);
  va_list args;
  va_start(args, format);
  // glibc's vsnprintf allocates only for huge floating-point precisions and wide strings; we use
  // neither.
  const int wanted = std::vsnprintf(line + prefix, sizeof(line) - prefix - 1, format, args);
  va_end(args);
  if (wanted >= 0) {
    size_t length = prefix + static_cast<size_t>(wanted);
    if (length > sizeof(line) - 2) length = sizeof(line) - 2;
    // Values of variables and names of files are shown, and may hold what moves a terminal's
    // cursor.
    for (size_t i = prefix; i < length; ++i) {
      const auto byte = static_cast<unsigned char>(line[i]);
      // The second controls of Unicode too, U+0080 to U+009F: C2 and one of 80 to 9F.
      const bool second = i > prefix && byte >= 0x80 && byte < 0xA0 &&
                          static_cast<unsigned char>(line[i - 1]) == 0xC2;
      if (byte < 0x20 || byte == 0x7F || second) line[i] = '?';
    }
    line[length++] = '\n';
    // relaxed: see the declaration.
    const LogSink sink = g_log_sink.load(std::memory_order_relaxed);
    if (sink != nullptr) {
      sink(line, length);
    } else {
      WriteLogLine(STDERR_FILENO, line, length);
    }
  }
  errno = saved_errno;
}

}  // namespace heapgauge
