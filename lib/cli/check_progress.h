// What a check is busy with, on a terminal: one line that is written over and over, while a process
// looks through its memory.  What CMD itself writes there is over by then.
#ifndef HEAPGAUGE_CLI_CHECK_PROGRESS_H_
#define HEAPGAUGE_CLI_CHECK_PROGRESS_H_

#include <cstdint>
#include <string>

namespace heapgauge::cli {

class CheckProgress final {
 public:
  // `workshop`: where the processes leave what they find.
  explicit CheckProgress(std::string workshop) : workshop_(std::move(workshop)) {}
  ~CheckProgress() { Clear(); }
  CheckProgress(const CheckProgress&) = delete;
  CheckProgress& operator=(const CheckProgress&) = delete;

  // Whether standard error is a terminal that can write over a line.
  static bool IsWanted();
  void Look();
  void Clear();

 private:
  std::string workshop_;
  std::string process_;    // that was looking last
  uint64_t since_ns_ = 0;  // when that was seen first
  bool shown_ = false;
};

}  // namespace heapgauge::cli

#endif  // HEAPGAUGE_CLI_CHECK_PROGRESS_H_
