// The terminal of `heapgauge top`: the whole screen, by curses, given back however the program ends.
#ifndef HEAPGAUGE_CLI_TOP_SCREEN_H_
#define HEAPGAUGE_CLI_TOP_SCREEN_H_

#include <chrono>
#include <string>
#include <vector>

#include "cli/top_table.h"

namespace heapgauge::cli {

class TopScreen final {
 public:
  // False: the terminal can't be used so; plain lines are the way out.
  static bool IsUsable();

  TopScreen();
  ~TopScreen();
  TopScreen(const TopScreen&) = delete;
  TopScreen& operator=(const TopScreen&) = delete;

  size_t columns() const;
  size_t rows() const;
  bool ascii() const { return ascii_; }
  void Show(const std::vector<TopLine>& lines, const std::string& footer);
  // A key within `patience`; 0: none; the size has changed: kResized.
  static constexpr int kResized = -2;
  int Key(std::chrono::milliseconds patience);

 private:
  bool ascii_ = true;
  bool colours_ = false;
};

}  // namespace heapgauge::cli

#endif  // HEAPGAUGE_CLI_TOP_SCREEN_H_
