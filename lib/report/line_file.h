// A file read line by line, with what is needed to name the place of a fault.
#ifndef HEAPGAUGE_REPORT_LINE_FILE_H_
#define HEAPGAUGE_REPORT_LINE_FILE_H_

#include <cstdint>
#include <string>
#include <vector>

namespace heapgauge {

struct Line {
  std::string text;      // without its line break
  uint64_t number = 0;   // 1-based
  bool complete = true;  // false: the last one, and no line break behind it
};

class LineFile final {
 public:
  // Opens `path`, a file or, with `pipes`, a pipe; never waits for one that nobody writes to.  On
  // failure IsOpen() is false and Error() says why.
  explicit LineFile(const std::string& path, bool pipes = true);
  ~LineFile();
  LineFile(const LineFile&) = delete;
  LineFile& operator=(const LineFile&) = delete;

  bool IsOpen() const { return fd_ >= 0; }
  const std::string& Error() const { return error_; }

  // The next line that is not blank; false at the end, or with Error() set when reading failed.
  bool Next(Line* line);

 private:
  void Close();
  bool WaitForPipe();
  bool Fill();

  std::string path_;
  int fd_ = -1;
  bool is_pipe_ = false;
  int silence_ms_ = -1;  // the longest that a pipe may be silent; -1: for ever
  std::string error_;
  std::vector<char> buffer_;  // buffer_[used_, filled_) is still to be read
  size_t used_ = 0;
  size_t filled_ = 0;
  uint64_t number_ = 0;
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_REPORT_LINE_FILE_H_
