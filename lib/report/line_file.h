// A file read line by line, with what is needed to name the place of a fault.
#ifndef HEAPGAUGE_REPORT_LINE_FILE_H_
#define HEAPGAUGE_REPORT_LINE_FILE_H_

#include <cstdint>
#include <cstdio>
#include <memory>
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
  // Opens `path`; on failure IsOpen() is false and Error() says why.
  explicit LineFile(const std::string& path);

  bool IsOpen() const { return file_ != nullptr; }
  const std::string& Error() const { return error_; }

  // The next line that is not blank; false at the end, or with Error() set when reading failed.
  bool Next(Line* line);

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };

  bool Fill();

  std::string path_;
  std::unique_ptr<std::FILE, Close> file_;
  std::string error_;
  std::vector<char> buffer_;  // buffer_[used_, filled_) is still to be read
  size_t used_ = 0;
  size_t filled_ = 0;
  uint64_t number_ = 0;
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_REPORT_LINE_FILE_H_
