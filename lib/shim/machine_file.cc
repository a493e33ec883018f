#include "shim/machine_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/glob.h"

namespace heapgauge {
namespace {

constexpr char kSetting[] = "HEAPGAUGE_";

bool IsSpace(char byte) noexcept { return byte == ' ' || byte == '\t' || byte == '\r'; }

bool Names(const char* glob, const char* program) noexcept {
  if (program == nullptr) return false;
  const char* const slash = strrchr(program, '/');
  const bool whole = strchr(glob, '/') != nullptr || slash == nullptr;
  return GlobMatches(glob, whole ? program : slash + 1);
}

}  // namespace

MachineChoice MachineFile::Read(const char* path, unsigned owner,
                                const ProgramNames& names) noexcept {
  // Not blocked by a FIFO.
  const int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (file < 0) {
    if (errno == ENOENT || errno == ENOTDIR) return MachineChoice::kNoFile;
    problem_ = "can't be opened";
    return MachineChoice::kNotTracked;
  }
  struct stat status;
  if (fstat(file, &status) != 0 || !S_ISREG(status.st_mode)) {
    problem_ = "is no regular file";
  } else if (status.st_uid != owner || (status.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    problem_ = "must be root's, and not writable by others";
  } else if (static_cast<size_t>(status.st_size) > kMostBytes) {
    problem_ = "is longer than 64 KiB";
  } else if (!ReadLines(file, names)) {
    chosen_ = false;
  }
  close(file);
  return chosen_ && !refused_ && *problem_ == '\0' ? MachineChoice::kTracked
                                                   : MachineChoice::kNotTracked;
}

bool MachineFile::ReadLines(int file, const ProgramNames& names) noexcept {
  char text[kMostLine + 2];
  size_t length = 0;
  size_t total = 0;
  for (;;) {
    const ssize_t got = read(file, text + length, sizeof(text) - 1 - length);
    if (got < 0) {
      if (errno == EINTR) continue;
      problem_ = "can't be read";
      return false;
    }
    // A file that grows while it is read.
    total += static_cast<size_t>(got);
    if (total > kMostBytes) {
      problem_ = "is longer than 64 KiB";
      return false;
    }
    length += static_cast<size_t>(got);
    char* begin = text;
    while (char* const end = static_cast<char*>(
               memchr(begin, '\n', length - static_cast<size_t>(begin - text)))) {
      *end = '\0';
      if (memchr(begin, '\0', static_cast<size_t>(end - begin)) != nullptr) {
        problem_ = "is no text";
        return false;
      }
      if (!TakeLine(begin, names)) return false;
      begin = end + 1;
    }
    length -= static_cast<size_t>(begin - text);
    memmove(text, begin, length);
    if (got == 0) {
      text[length] = '\0';
      return TakeLine(text, names);
    }
    if (length > kMostLine) {
      problem_ = "has a line longer than 1023 bytes";
      return false;
    }
  }
}

bool MachineFile::TakeLine(char* line, const ProgramNames& names) noexcept {
  while (IsSpace(*line)) ++line;
  size_t length = strlen(line);
  while (length > 0 && IsSpace(line[length - 1])) line[--length] = '\0';
  if (*line == '\0' || *line == '#') return true;
  if (strncmp(line, kSetting, sizeof(kSetting) - 1) == 0 && strchr(line, '=') != nullptr) {
    return KeepSetting(line);
  }
  const bool excludes = *line == '!';
  if (excludes) ++line;
  if (!Names(line, names.executable) && !Names(line, names.started_by)) return true;
  if (excludes) refused_ = true;
  if (!excludes) chosen_ = true;
  return true;
}

bool MachineFile::KeepSetting(const char* line) noexcept {
  const size_t bytes = strlen(line) + 1;
  if (count_ == kMostSettings || bytes > kSettingBytes - used_) {
    problem_ = "has too many settings";
    return false;
  }
  settings_[count_++] = static_cast<const char*>(memcpy(text_ + used_, line, bytes));
  used_ += bytes;
  return true;
}

}  // namespace heapgauge
