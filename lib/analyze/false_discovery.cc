#include "analyze/false_discovery.h"

#include <algorithm>
#include <limits>
#include <vector>

namespace heapgauge {

double PValueThreshold(std::span<const double> p_values, size_t tests, double q) {
  std::vector<double> sorted(p_values.begin(), p_values.end());
  std::sort(sorted.begin(), sorted.end());
  const double m = static_cast<double>(std::max(tests, sorted.size()));
  for (size_t k = sorted.size(); k > 0; --k) {
    if (sorted[k - 1] <= q * static_cast<double>(k) / m) return sorted[k - 1];
  }
  return 0;
}

double EValueThreshold(std::span<const double> e_values, size_t tests, double q) {
  std::vector<double> sorted(e_values.begin(), e_values.end());
  std::sort(sorted.begin(), sorted.end(), std::greater<>());
  const double m = static_cast<double>(std::max(tests, sorted.size()));
  for (size_t k = sorted.size(); k > 0; --k) {
    if (sorted[k - 1] * static_cast<double>(k) >= m / q) return sorted[k - 1];
  }
  return std::numeric_limits<double>::infinity();
}

}  // namespace heapgauge
