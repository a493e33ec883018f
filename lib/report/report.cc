#include "report/report.h"

namespace heapgauge {

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
