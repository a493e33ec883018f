#include "report/listed.h"

#include <fmt/core.h>

#include <algorithm>

#include "report/units.h"

namespace heapgauge {
namespace {

constexpr double kAll = 0.995;

template <typename Row, typename Live>
double Share(const Report& report, const std::vector<Row>& rows, size_t most, Live live) {
  if (!(report.totals.live_bytes > 0)) return 1;
  double sum = 0;
  for (size_t i = 0; i < std::min(most, rows.size()); ++i) sum += live(rows[i]);
  return std::min(1.0, sum / report.totals.live_bytes);
}

}  // namespace

double ShareOfLive(const Report& report, const std::vector<Site>& sites, size_t most) {
  return Share(report, sites, most, [](const Site& site) { return site.live_bytes; });
}

double ShareOfLive(const Report& report, const std::vector<Callsite>& callsites, size_t most) {
  return Share(report, callsites, most,
               [](const Callsite& callsite) { return callsite.sum.live_bytes; });
}

std::string ListedText(size_t listed, uint64_t all, double share, std::string_view what) {
  return fmt::format(
      "{} of {} {}{}", FormatCount(static_cast<double>(listed)),
      FormatCount(static_cast<double>(std::max<uint64_t>(all, listed))), what,
      share < kAll ? fmt::format(", {} of the live bytes", FormatPercent(share)) : "");
}

}  // namespace heapgauge
