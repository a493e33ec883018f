#include "cli/output_file.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstring>

#include "base/whole_io.h"

namespace heapgauge::cli {
namespace {

absl::Status Refuse(const std::string& path, int number) {
  return {absl::ErrnoToStatusCode(number),
          fmt::format("cannot write {}: {}", path, std::strerror(number))};
}

absl::Status WriteInPlace(const std::string& path, std::string_view content) {
  const int fd = open(path.c_str(), O_WRONLY | O_CLOEXEC);
  const bool written = fd >= 0 && WriteAll(fd, content);
  const int number = errno;
  const bool closed = fd < 0 || close(fd) == 0;
  return written && closed ? absl::OkStatus() : Refuse(path, written ? errno : number);
}

// A new file beside the old one takes its place; it has the rights of any new file, or those of the
// old one.
absl::Status Replace(const std::string& path, const struct stat* old, std::string_view content) {
  std::string temporary = path + ".XXXXXX";
  const int fd = mkostemp(temporary.data(), O_CLOEXEC);
  if (fd < 0) return Refuse(path, errno);
  const mode_t mask = umask(0);
  umask(mask);
  const mode_t mode = old != nullptr ? old->st_mode & 0777 : 0666 & ~mask;
  bool good = fchmod(fd, mode) == 0 && WriteAll(fd, content);
  int number = errno;
  if (close(fd) != 0 && good) {
    good = false;
    number = errno;
  }
  if (good && rename(temporary.c_str(), path.c_str()) == 0) return absl::OkStatus();
  if (good) number = errno;
  unlink(temporary.c_str());
  return Refuse(path, number);
}

}  // namespace

bool ColourWanted() {
  const char* no_colour = std::getenv("NO_COLOR");
  const char* terminal = std::getenv("TERM");
  return isatty(STDOUT_FILENO) == 1 && (no_colour == nullptr || *no_colour == '\0') &&
         terminal != nullptr && std::strcmp(terminal, "dumb") != 0;
}

size_t TerminalWidth() {
  struct winsize size {};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 100;
  return std::clamp<size_t>(size.ws_col, 60, 200);
}

absl::Status WriteOutput(const std::string& path, std::string_view content) {
  if (path.empty() || path == "-") {
    return WriteAll(STDOUT_FILENO, content) ? absl::OkStatus()
                                            : Refuse("to standard output", errno);
  }
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) return Replace(path, nullptr, content);
  if (!S_ISREG(status.st_mode)) return WriteInPlace(path, content);
  std::array<char, PATH_MAX> resolved{};
  const char* target = realpath(path.c_str(), resolved.data());
  return Replace(target != nullptr ? target : path, &status, content);
}

}  // namespace heapgauge::cli
