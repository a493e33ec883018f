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

bool Refuse(const std::string& path, int number, std::string* error) {
  *error = fmt::format("cannot write {}: {}", path, std::strerror(number));
  return false;
}

bool WriteInPlace(const std::string& path, std::string_view content, std::string* error) {
  const int fd = open(path.c_str(), O_WRONLY | O_CLOEXEC);
  const bool written = fd >= 0 && WriteAll(fd, content);
  const int number = errno;
  const bool closed = fd < 0 || close(fd) == 0;
  return (written && closed) || Refuse(path, written ? errno : number, error);
}

// A new file beside the old one takes its place; it has the rights of any new file, or those of the
// old one.
bool Replace(const std::string& path, const struct stat* old, std::string_view content,
             std::string* error) {
  std::string temporary = path + ".XXXXXX";
  const int fd = mkostemp(temporary.data(), O_CLOEXEC);
  if (fd < 0) return Refuse(path, errno, error);
  const mode_t mask = umask(0);
  umask(mask);
  const mode_t mode = old != nullptr ? old->st_mode & 0777 : 0666 & ~mask;
  bool good = fchmod(fd, mode) == 0 && WriteAll(fd, content);
  int number = errno;
  if (close(fd) != 0 && good) {
    good = false;
    number = errno;
  }
  if (good && rename(temporary.c_str(), path.c_str()) == 0) return true;
  if (good) number = errno;
  unlink(temporary.c_str());
  return Refuse(path, number, error);
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

bool WriteOutput(const std::string& path, std::string_view content, std::string* error) {
  if (path.empty() || path == "-") {
    return WriteAll(STDOUT_FILENO, content) || Refuse("to standard output", errno, error);
  }
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) return Replace(path, nullptr, content, error);
  if (!S_ISREG(status.st_mode)) return WriteInPlace(path, content, error);
  std::array<char, PATH_MAX> resolved{};
  const char* target = realpath(path.c_str(), resolved.data());
  return Replace(target != nullptr ? target : path, &status, content, error);
}

}  // namespace heapgauge::cli
