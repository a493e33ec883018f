#include "report/history_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <optional>

#include "base/descriptor.h"
#include "base/whole_io.h"
#include "report/history_batch.h"

namespace heapgauge {
namespace {

constexpr char kNewFile[] = ".reports.history.new";

// A descriptor that closes itself and is none of those that programs take for granted.
class File final {
 public:
  File(int directory, const char* name, int flags)
      : fd_(AboveStandard(openat(directory, name,
                                 flags | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0600))) {}
  ~File() {
    if (fd_ >= 0) close(fd_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int get() const { return fd_; }

  // Of a plain file.
  std::optional<off_t> Size() const {
    struct stat info;
    if (fd_ < 0 || fstat(fd_, &info) != 0) return std::nullopt;
    if (S_ISREG(info.st_mode)) return info.st_size;
    errno = EINVAL;
    return std::nullopt;
  }

 private:
  int fd_;
};

bool ReadAt(int fd, off_t at, char* to, size_t bytes) {
  while (bytes > 0) {
    const ssize_t got = pread(fd, to, bytes, at);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    to += got;
    at += got;
    bytes -= static_cast<size_t>(got);
  }
  return true;
}

// Where the batch at `at` ends; nullopt where there is no whole one.
std::optional<off_t> EndOfBatch(int fd, off_t at, off_t size) {
  char head[kHistoryHead];
  uint32_t bytes;
  if (size - at < static_cast<off_t>(sizeof(head)) || !ReadAt(fd, at, head, sizeof(head)) ||
      memcmp(head, kHistoryMagic, 4) != 0) {
    return std::nullopt;
  }
  memcpy(&bytes, head + 4, sizeof(bytes));
  if (bytes > kMostHistoryBatch) return std::nullopt;
  const off_t end = at + static_cast<off_t>(sizeof(head)) + bytes;
  return end <= size ? std::optional(end) : std::nullopt;
}

// The batches from `begin` to `end` become the file.
bool KeepFrom(int directory, int from, off_t begin, off_t end) {
  unlinkat(directory, kNewFile, 0);  // of one who died over it
  const File to(directory, kNewFile, O_WRONLY | O_CREAT | O_EXCL);
  if (to.get() < 0) return false;
  std::string piece(size_t{256} << 10, '\0');
  for (off_t at = begin; at < end;) {
    const size_t bytes = std::min(piece.size(), static_cast<size_t>(end - at));
    if (!ReadAt(from, at, piece.data(), bytes) ||
        !WriteAll(to.get(), std::string_view(piece).substr(0, bytes))) {
      const int saved_errno = errno;
      unlinkat(directory, kNewFile, 0);
      errno = saved_errno;
      return false;
    }
    at += static_cast<off_t>(bytes);
  }
  return renameat(directory, kNewFile, directory, kHistoryFile) == 0;
}

}  // namespace

off_t HistorySize(int directory) {
  struct stat info;
  const bool there = fstatat(directory, kHistoryFile, &info, AT_SYMLINK_NOFOLLOW) == 0;
  return there && S_ISREG(info.st_mode) ? info.st_size : 0;
}

bool AppendHistory(int directory, std::string_view batch, off_t most_bytes) {
  const auto added = static_cast<off_t>(batch.size());
  {
    const File file(directory, kHistoryFile, O_RDWR | O_CREAT | O_APPEND);
    const auto size = file.Size();
    if (!size) return false;
    // Behind the last whole batch, and the first one that would stay if there were too many.
    off_t end = 0;
    off_t first_kept = -1;
    while (const auto next = EndOfBatch(file.get(), end, *size)) {
      if (first_kept < 0 && *size - end <= most_bytes / 4 * 3 - added) first_kept = end;
      end = *next;
    }
    if (end + added > most_bytes) {
      if (!KeepFrom(directory, file.get(), first_kept < 0 ? end : first_kept, end)) return false;
    } else {
      if (end != *size && ftruncate(file.get(), end) != 0) return false;
      if (WriteAll(file.get(), batch)) return true;
      const int saved_errno = errno;
      [[maybe_unused]] const int cut = ftruncate(file.get(), end);  // no torn batch
      errno = saved_errno;
      return false;
    }
  }
  const File file(directory, kHistoryFile, O_WRONLY | O_APPEND);
  const auto size = file.Size();
  if (!size) return false;
  if (WriteAll(file.get(), batch)) return true;
  const int saved_errno = errno;
  [[maybe_unused]] const int cut = ftruncate(file.get(), *size);
  errno = saved_errno;
  return false;
}

void ForEachHistoryBatch(const std::string& path, const std::function<bool(std::string&&)>& visit) {
  const File file(AT_FDCWD, path.c_str(), O_RDONLY);
  const auto size = file.Size();
  if (!size) return;
  off_t at = 0;
  while (const auto end = EndOfBatch(file.get(), at, *size)) {
    std::string batch(static_cast<size_t>(*end - at), '\0');
    if (!ReadAt(file.get(), at, batch.data(), batch.size()) || !visit(std::move(batch))) return;
    at = *end;
  }
}

}  // namespace heapgauge
