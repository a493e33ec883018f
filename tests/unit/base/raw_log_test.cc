#include "base/raw_log.h"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <cerrno>
#include <string>

#include "support/captured_stderr.h"

namespace heapgauge {
namespace {

class LogLevelScope final {
 public:
  explicit LogLevelScope(LogLevel level) : before_(g_log_level.exchange(level)) {}
  ~LogLevelScope() { g_log_level.store(before_); }
  LogLevelScope(const LogLevelScope&) = delete;
  LogLevelScope& operator=(const LogLevelScope&) = delete;

 private:
  const LogLevel before_;
};

TEST_CASE("a message becomes one line with the prefix", "[base]") {
  const test::CapturedStderr captured;
  RawLog(LogLevel::kError, "%s is %d", "answer", 42);
  CHECK(captured.text() == "heapgauge: answer is 42\n");
}

TEST_CASE("levels above the chosen one are silent", "[base]") {
  const LogLevelScope scope(LogLevel::kWarning);
  const test::CapturedStderr captured;
  RawLog(LogLevel::kDebug, "debug");
  RawLog(LogLevel::kInfo, "info");
  RawLog(LogLevel::kWarning, "warning");
  RawLog(LogLevel::kError, "error");
  CHECK(captured.text() == "heapgauge: warning\nheapgauge: error\n");
}

TEST_CASE("a long line is cut and still ends in a newline", "[base]") {
  const std::string text(5000, 'x');
  const test::CapturedStderr captured;
  RawLog(LogLevel::kError, "%s", text.c_str());
  const std::string line = captured.text();
  CHECK(line.size() <= 1024);
  CHECK(line.size() > 1000);
  CHECK(line.substr(0, 14) == "heapgauge: xxx");
  CHECK(line.find('\0') == std::string::npos);
  CHECK(line.find('\n') == line.size() - 1);
}

TEST_CASE("a line that just fits is not cut", "[base]") {
  // 1024 bytes: prefix 11, text, newline, and vsnprintf's terminator.
  const size_t most = 1024 - 11 - 2;
  for (const size_t length : {most - 1, most, most + 1}) {
    const std::string text(length, 'y');
    const test::CapturedStderr captured;
    RawLog(LogLevel::kError, "%s", text.c_str());
    CHECK(captured.text() == "heapgauge: " + text.substr(0, std::min(length, most)) + "\n");
  }
}

TEST_CASE("errno is kept, also where stderr is closed", "[base]") {
  const test::CapturedStderr captured;
  close(STDERR_FILENO);
  errno = EXDEV;
  RawLog(LogLevel::kError, "nobody reads this");
  CHECK(errno == EXDEV);
  CHECK(captured.text().empty());
}

}  // namespace
}  // namespace heapgauge
