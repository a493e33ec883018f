// One line to stderr from any place, also from inside a hook: write(2) on a stack buffer, no
// allocation, errno kept.
#ifndef HEAPGAUGE_BASE_RAW_LOG_H_
#define HEAPGAUGE_BASE_RAW_LOG_H_

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace heapgauge {

enum class LogLevel : uint8_t { kError, kWarning, kInfo, kDebug };

// The most verbose level that is printed.  Relaxed: a line more or less around a change does no
// harm.
extern std::atomic<LogLevel> g_log_level;

// Who writes a finished line; nullptr: WriteLogLine() to descriptor 2.  Relaxed: as above.
using LogSink = void (*)(const char* line, size_t bytes) noexcept;
extern std::atomic<LogSink> g_log_sink;

// A system call filter has come that kills for asking whether there is room (track/filters.h):
// lines are written without.
inline std::atomic<bool> g_plain_words{false};

// Writes a line if that is possible at once: a full pipe must not stop the host, and a broken one
// must not end it (SIGPIPE).
void WriteLogLine(int descriptor, const char* line, size_t bytes) noexcept;

// printf-style; the line gets the prefix "heapgauge: " and its newline here.  Lines over 1 KiB are
// cut.
void RawLog(LogLevel level, const char* format, ...) noexcept __attribute__((format(printf, 2, 3)));

}  // namespace heapgauge

#endif  // HEAPGAUGE_BASE_RAW_LOG_H_
