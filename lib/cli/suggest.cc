#include "cli/suggest.h"

#include <algorithm>
#include <vector>

namespace heapgauge::cli {
namespace {

// Optimal string alignment distance, three rows at a time.
size_t Distance(std::string_view a, std::string_view b) {
  std::vector<size_t> before_last(b.size() + 1);
  std::vector<size_t> last(b.size() + 1);
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    before_last.swap(last);
    last.swap(row);
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      row[j] =
          std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before_last[j - 2] + 1);
      }
    }
  }
  return row[b.size()];
}

}  // namespace

std::string Nearest(std::string_view typed, std::span<const std::string> names) {
  constexpr size_t kLongestTyped = 64;  // nobody mistypes that much; and the cost is quadratic
  if (typed.empty() || typed.size() > kLongestTyped) return {};
  std::string nearest;
  size_t smallest = SIZE_MAX;
  for (const std::string& name : names) {
    const bool abbreviation = typed.size() >= 2 && name.starts_with(typed);
    const size_t distance = abbreviation ? 1 : Distance(typed, name);
    if (distance < smallest && distance <= std::max<size_t>(1, name.size() / 3)) {
      smallest = distance;
      nearest = name;
    }
  }
  return nearest;
}

std::string DidYouMean(std::string_view typed, std::span<const std::string> names) {
  const std::string nearest = Nearest(typed, names);
  return nearest.empty() ? "" : "; did you mean " + nearest + "?";
}

}  // namespace heapgauge::cli
