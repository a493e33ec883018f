// What `heapgauge top` shows, as lines: values in, text out, no terminal.
#ifndef HEAPGAUGE_CLI_TOP_TABLE_H_
#define HEAPGAUGE_CLI_TOP_TABLE_H_

#include <cstddef>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "report/report.h"

namespace heapgauge::cli {

// kRank: as the report ranks them, the most suspicious first.
enum class TopOrder { kRank, kGrowth, kLive, kName };

// Live bytes of each call site at the last looks.
class TopHistory final {
 public:
  static constexpr size_t kLooks = 32;

  void Add(const Report& report);
  // One character for each of the last `width` looks, from the lowest to the highest of them.
  // `ascii`: of " .:-=+*#", else of Unicode's blocks.
  std::string Sparkline(const std::string& id, size_t width, bool ascii) const;

 private:
  std::map<std::string, std::deque<double>> live_;
};

struct TopLine {
  std::string text;
  std::string verdict;  // of a row; "" of what stands above
};

struct TopStyle {
  size_t columns = 100;
  size_t rows = 24;
  TopOrder order = TopOrder::kRank;
  bool ascii = true;  // the terminal shows nothing else
  double age_s = 0;   // of the report; told from a second on
};

// The process, a heading, then call sites, as many as there is room for; no line is wider than
// `columns`.  What is cut is said in the heading.
std::vector<TopLine> TopLines(const Report& report, const TopHistory& history,
                              const TopStyle& style);

}  // namespace heapgauge::cli

#endif  // HEAPGAUGE_CLI_TOP_TABLE_H_
