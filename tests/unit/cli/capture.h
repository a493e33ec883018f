// Runs something and keeps what it prints on a descriptor.
#ifndef HEAPGAUGE_TESTS_UNIT_CLI_CAPTURE_H_
#define HEAPGAUGE_TESTS_UNIT_CLI_CAPTURE_H_

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <string>

#include "cli/command.h"
#include "unit/report/temp_directory.h"

namespace heapgauge::cli {

class Capture final {
 public:
  explicit Capture(int fd) : fd_(fd), saved_(dup(fd)) {
    std::fflush(nullptr);
    const int file = open((temp_ / "captured").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    dup2(file, fd_);
    close(file);
  }
  ~Capture() { Text(); }
  Capture(const Capture&) = delete;
  Capture& operator=(const Capture&) = delete;

  // Ends the capture.
  std::string Text() {
    if (saved_ >= 0) {
      std::fflush(nullptr);
      dup2(saved_, fd_);
      close(saved_);
      saved_ = -1;
    }
    return temp_.Read("captured");
  }

 private:
  TempDirectory temp_;
  int fd_;
  int saved_;
};

struct Printed {
  int status = 0;
  std::string out;
  std::string err;
};

inline Printed CallCommand(const Arguments& arguments) {
  Capture out(STDOUT_FILENO);
  Capture err(STDERR_FILENO);
  Printed printed;
  printed.status = Main(arguments);
  printed.err = err.Text();
  printed.out = out.Text();
  return printed;
}

}  // namespace heapgauge::cli

#endif  // HEAPGAUGE_TESTS_UNIT_CLI_CAPTURE_H_
