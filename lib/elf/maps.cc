#include "elf/maps.h"

#include <errno.h>
#include <fcntl.h>

#include "base/descriptor.h"
#include "base/raw_syscall.h"

namespace heapgauge {
namespace {

// By hand, all of it: see maps.h.
class Cursor final {
 public:
  explicit Cursor(std::string_view text) noexcept : text_(text) {}

  bool Take(char wanted) noexcept {
    if (text_.empty() || text_.front() != wanted) return false;
    text_.remove_prefix(1);
    return true;
  }
  bool TakeHex(uint64_t* value) noexcept {
    *value = 0;
    size_t digits = 0;
    for (; digits < text_.size(); ++digits) {
      const char c = text_[digits];
      unsigned digit = 0;
      if (c >= '0' && c <= '9') {
        digit = static_cast<unsigned>(c - '0');
      } else if (c >= 'a' && c <= 'f') {
        digit = static_cast<unsigned>(c - 'a') + 10;
      } else {
        break;
      }
      if (*value >> 60 != 0) return false;
      *value = *value << 4 | digit;
    }
    text_.remove_prefix(digits);
    return digits != 0;
  }
  // What stands up to the next space or the end.
  std::string_view TakeWord() noexcept {
    const char* const begin = text_.data();
    size_t size = 0;
    while (size < text_.size() && begin[size] != ' ') ++size;
    text_.remove_prefix(size);
    return {begin, size};
  }
  void SkipSpaces() noexcept {
    while (Take(' ')) {
    }
  }
  std::string_view rest() const noexcept { return text_; }

 private:
  std::string_view text_;
};

void CopyNumber(pid_t number, char** to) noexcept {
  char digits[16];
  size_t count = 0;
  do {
    digits[count++] = static_cast<char>('0' + number % 10);
    number /= 10;
  } while (number > 0);
  while (count > 0) *(*to)++ = digits[--count];
}

void CopyText(const char* text, char** to) noexcept {
  while (*text != '\0') *(*to)++ = *text++;
}

int Open(pid_t pid) noexcept {
  char path[40];
  char* at = path;
  CopyText("/proc/", &at);
  if (pid == MapsReader::kSelf) {
    CopyText("thread-self", &at);  // the first thread may have left, and shows nothing then
  } else {
    CopyNumber(pid, &at);
  }
  CopyText("/maps", &at);
  *at = '\0';
  const long file = RawSyscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
  return file < 0 ? -1 : AboveStandard(static_cast<int>(file));
}

}  // namespace

bool ParseMapsLine(std::string_view text, MapsLine* line) noexcept {
  *line = {};
  Cursor at(text);
  uint64_t begin = 0;
  uint64_t end = 0;
  if (!at.TakeHex(&begin) || !at.Take('-') || !at.TakeHex(&end) || !at.Take(' ')) return false;
  const std::string_view rights = at.TakeWord();
  if (begin >= end || rights.size() < 4) return false;
  line->range = {begin, end};
  line->readable = rights[0] == 'r';
  line->writable = rights[1] == 'w';
  line->executable = rights[2] == 'x';
  if (!at.Take(' ') || !at.TakeHex(&line->offset)) return false;
  at.SkipSpaces();
  at.TakeWord();  // the device
  at.SkipSpaces();
  at.TakeWord();  // the file's number there
  at.SkipSpaces();
  line->path = at.rest();
  return true;
}

MapsReader::MapsReader(pid_t pid, std::span<char> room) noexcept
    : MapsReader(File{Open(pid)}, room) {}

MapsReader::~MapsReader() {
  if (file_ >= 0) RawSyscall(SYS_close, file_);
}

bool MapsReader::ReadMore() noexcept {
  if (file_ < 0) return false;
  for (size_t i = begin_; i < end_; ++i) room_[i - begin_] = room_[i];
  end_ -= begin_;
  begin_ = 0;
  if (end_ == room_.size()) {
    in_long_ = true;
    end_ = 0;
  }
  long got = -EINTR;
  while (got == -EINTR) {
    got = RawSyscall(SYS_read, file_, room_.data() + end_, room_.size() - end_);
  }
  if (got <= 0) return false;
  end_ += static_cast<size_t>(got);
  bytes_read_ += static_cast<uint64_t>(got);
  return true;
}

bool MapsReader::Next(MapsLine* line) noexcept {
  for (size_t looked_at = begin_;;) {
    while (looked_at < end_ && room_[looked_at] != '\n') ++looked_at;
    if (looked_at == end_) {
      const size_t known = end_ - begin_;
      if (!ReadMore()) return false;  // what has no newline was not written to its end
      looked_at = in_long_ ? 0 : known;
      continue;
    }
    const std::string_view text(room_.data() + begin_, looked_at - begin_);
    begin_ = ++looked_at;
    const bool is_tail = in_long_;
    in_long_ = false;
    if (!is_tail && ParseMapsLine(text, line)) return true;
  }
}

}  // namespace heapgauge
