#include "report/report.h"

#include <algorithm>
#include <cmath>

namespace heapgauge {

RateUnit RateUnitOf(const Report& report) {
  double fastest = std::fabs(report.totals.growth_bytes_per_s);
  for (const Site& site : report.sites)
    fastest = std::max(fastest, std::fabs(site.growth_bytes_per_s));
  for (const Callsite& callsite : report.callsites)
    fastest = std::max(fastest, std::fabs(callsite.sum.growth_bytes_per_s));
  return ChooseRateUnit(fastest);
}

HeapFigures HeapFigures::Without(const HeapFigures& part) const {
  HeapFigures left = *this;
  for (const auto figure :
       {&HeapFigures::live_bytes, &HeapFigures::live_objects, &HeapFigures::allocated_bytes,
        &HeapFigures::allocated_objects, &HeapFigures::freed_bytes, &HeapFigures::freed_objects}) {
    left.*figure = std::max(0.0, left.*figure - part.*figure);
  }
  return left;
}

std::vector<Callsite> CallsitesOf(const Report& report) {
  if (!report.callsites.empty()) return report.callsites;
  std::vector<Callsite> callsites;
  callsites.reserve(report.sites.size());
  for (const Site& site : report.sites) {
    Callsite& callsite = callsites.emplace_back();
    callsite.sum = site;
    callsite.sites = {site.id};
  }
  return callsites;
}

}  // namespace heapgauge
