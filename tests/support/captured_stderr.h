// What is written to file descriptor 2 while an object of this class lives.
//
// A file and not a pipe: nothing blocks, whatever the amount.
#ifndef HEAPGAUGE_TESTS_SUPPORT_CAPTURED_STDERR_H_
#define HEAPGAUGE_TESTS_SUPPORT_CAPTURED_STDERR_H_

#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <stdexcept>
#include <string>

namespace heapgauge::test {

class CapturedStderr final {
 public:
  CapturedStderr() : file_(memfd_create("stderr", MFD_CLOEXEC)), saved_(dup(STDERR_FILENO)) {
    if (file_ < 0 || saved_ < 0) throw std::runtime_error("no file to capture stderr in");
    std::fflush(stderr);
    dup2(file_, STDERR_FILENO);
  }
  ~CapturedStderr() {
    std::fflush(stderr);
    dup2(saved_, STDERR_FILENO);
    close(saved_);
    close(file_);
  }
  CapturedStderr(const CapturedStderr&) = delete;
  CapturedStderr& operator=(const CapturedStderr&) = delete;

  std::string text() const {
    std::string text(static_cast<size_t>(lseek(file_, 0, SEEK_END)), '\0');
    const ssize_t got = pread(file_, text.data(), text.size(), 0);
    text.resize(got > 0 ? static_cast<size_t>(got) : 0);
    return text;
  }

 private:
  int file_;
  int saved_;
};

}  // namespace heapgauge::test

#endif  // HEAPGAUGE_TESTS_SUPPORT_CAPTURED_STDERR_H_
