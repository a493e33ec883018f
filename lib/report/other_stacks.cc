#include "report/other_stacks.h"

#include <utility>

namespace heapgauge {

Frame OtherStacksFrame() {
  Frame frame;
  frame.function = "[other stacks]";
  frame.verbatim.set = true;
  return frame;
}

std::optional<Site> OtherStacks(const Report& report) {
  if (report.sites_total <= report.sites.size()) return std::nullopt;
  HeapFigures left = report.totals;
  for (const Site& site : report.sites) left = left.Without(site);
  for (const CallsiteRest& rest : report.rest) left = left.Without(rest.figures);
  Site others;
  static_cast<HeapFigures&>(others) = left;
  others.frames = {OtherStacksFrame()};
  return others;
}

Report WithOtherStacks(const Report& report) {
  Report whole = report;
  if (auto others = OtherStacks(report)) whole.sites.push_back(std::move(*others));
  return whole;
}

}  // namespace heapgauge
