#include "report/line_file.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <linux/magic.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>

#include "report/printable.h"

namespace heapgauge {
namespace {

// A report of ten thousand sites is some 40 MiB; past this a "line" is something else, and would
// take ten times as much memory to understand.
constexpr size_t kMaxLineBytes = size_t{128} << 20;

// A pipe with a name waits for a writer of its own accord, and for ever; nobody types such a name
// to wait longer than this.
constexpr int kSilenceMs = 2000;

const char* NotAFile(mode_t mode) {
  if (S_ISDIR(mode)) return "is a directory";
  if (S_ISSOCK(mode)) return "is a socket";
  return "is a device";
}

// A view of the kernel's, which looks like a file: reading one may wait for ever (/proc/kmsg).
bool IsKernels(const std::string& path) {
  struct statfs system {};
  if (statfs(path.c_str(), &system) != 0) return false;
  switch (static_cast<uint32_t>(system.f_type)) {
    case PROC_SUPER_MAGIC:
    case SYSFS_MAGIC:
    case DEBUGFS_MAGIC:
    case TRACEFS_MAGIC:
    case SECURITYFS_MAGIC:
    case CGROUP_SUPER_MAGIC:
    case CGROUP2_SUPER_MAGIC:
      return true;
    default:
      return false;
  }
}

// One of pipe(2)'s, as a shell makes them; whoever is behind it is at work.
bool IsNameless(int fd) {
  struct statfs system {};
  return fstatfs(fd, &system) == 0 && system.f_type == PIPEFS_MAGIC;
}

}  // namespace

LineFile::LineFile(const std::string& path, bool pipes) : path_(Printable(path)) {
  struct stat status {};
  // Not opened: a device may act on that alone.
  if (stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode) && !S_ISFIFO(status.st_mode)) {
    error_ = fmt::format("cannot read {}: it {}", path_, NotAFile(status.st_mode));
    return;
  }
  if (S_ISREG(status.st_mode) && IsKernels(path)) {
    error_ = fmt::format("cannot read {}: it is the kernel's, not a file", path_);
    return;
  }
  fd_ = open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  if (fd_ < 0 || fstat(fd_, &status) != 0) {
    error_ = fmt::format("cannot open {}: {}", path_, std::strerror(errno));
  } else if (S_ISFIFO(status.st_mode)) {
    if (!pipes) error_ = fmt::format("cannot read {}: it is a pipe", path_);
    silence_ms_ = IsNameless(fd_) ? -1 : kSilenceMs;
    is_pipe_ = true;
  } else if (!S_ISREG(status.st_mode)) {
    error_ = fmt::format("cannot read {}: it {}", path_, NotAFile(status.st_mode));
  }
  if (!error_.empty()) Close();
  buffer_.resize(size_t{64} << 10);
}

LineFile::~LineFile() { Close(); }

void LineFile::Close() {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
}

// False when nobody writes to the pipe.
bool LineFile::WaitForPipe() {
  pollfd wait{fd_, POLLIN, 0};
  int ready = 0;
  do {
    ready = poll(&wait, 1, silence_ms_);
  } while (ready < 0 && errno == EINTR);
  if (ready == 0)
    error_ = fmt::format("cannot read {}: it is a pipe, and nobody writes to it", path_);
  return ready > 0;
}

bool LineFile::Fill() {
  used_ = filled_ = 0;
  for (;;) {
    if (is_pipe_ && !WaitForPipe()) return false;
    const ssize_t got = read(fd_, buffer_.data(), buffer_.size());
    if (got >= 0) {
      filled_ = static_cast<size_t>(got);
      return got > 0;
    }
    if (errno == EINTR || (is_pipe_ && errno == EAGAIN)) continue;
    error_ = fmt::format("cannot read {}: {}", path_, std::strerror(errno));
    return false;
  }
}

bool LineFile::Next(Line* line) {
  while (fd_ >= 0 && error_.empty()) {
    line->text.clear();
    line->complete = false;
    while (!line->complete && (used_ < filled_ || Fill())) {
      const std::string_view rest(buffer_.data() + used_, filled_ - used_);
      const size_t end = rest.find('\n');
      line->complete = end != std::string_view::npos;
      line->text.append(rest.substr(0, end));
      used_ += line->complete ? end + 1 : rest.size();
      if (line->text.size() > kMaxLineBytes) {
        error_ = fmt::format("{}: line {} is too long for a report", path_, number_ + 1);
        return false;
      }
    }
    if (!error_.empty() || (line->text.empty() && !line->complete)) return false;
    line->number = ++number_;
    if (line->text.find_first_not_of(" \t\r") != std::string::npos) return true;
  }
  return false;
}

}  // namespace heapgauge
