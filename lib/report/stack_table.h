// The stacks of a report as viewers of profiles want them: every frame once, a stack as indices.
#ifndef HEAPGAUGE_REPORT_STACK_TABLE_H_
#define HEAPGAUGE_REPORT_STACK_TABLE_H_

#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "report/report.h"

namespace heapgauge {

// A frame in words that are safe to show (frame_text.h).
struct ShownFrame {
  std::string name;  // with parameters, or module and offset
  std::string file;  // whole path, "" where not known
  uint32_t line = 0;
  std::string module;          // path, "" outside any
  uint64_t module_offset = 0;  // of one of the addresses that the frame stands for
};

class StackTable final {
 public:
  using Stack = std::vector<uint32_t>;

  // The indices of a site's frames, root first.  A site without frames has one, "[no stack]".
  Stack Add(const Site& site);

  const std::vector<ShownFrame>& Frames() const { return frames_; }

 private:
  using Key = std::tuple<std::string, std::string, uint32_t, std::string>;

  uint32_t IndexOf(ShownFrame frame);

  std::vector<ShownFrame> frames_;
  std::map<Key, uint32_t> index_;
};

// An estimate as viewers take it: a whole number, 0 for what is negative or no number.
uint64_t WholeBytes(double bytes);

}  // namespace heapgauge

#endif  // HEAPGAUGE_REPORT_STACK_TABLE_H_
