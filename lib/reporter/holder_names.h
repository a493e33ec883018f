// What the search found, in words and shares: symbols of globals, names of threads, 95 % intervals.
//
// Report thread only.
#ifndef HEAPGAUGE_REPORTER_HOLDER_NAMES_H_
#define HEAPGAUGE_REPORTER_HOLDER_NAMES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "graph/holder_search.h"
#include "report/report.h"
#include "reporter/site_identity.h"

namespace heapgauge {

class HolderNames final {
 public:
  struct Found {
    uint64_t hidden = 0;  // the block's address, all bits turned
    double bytes = 0;     // that the sample stands for
    float weight = 1;
    HolderSearch::Holder holder;
  };

  explicit HolderNames(const SiteIdentity& identity) : identity_(identity) {}

  // Of one call site.  All but the time.
  Held Describe(const std::vector<Found>& found, const HolderSearch& search) const;

 private:
  struct Named {
    std::string name;
    std::string module;
    std::string section;
  };
  std::vector<Named> NameGlobals(std::vector<uintptr_t> words) const;

  const SiteIdentity& identity_;
};

struct ShareInterval {
  double low = 0;
  double high = 1;
};
// Of a share of which `effective` independent samples were seen (Wilson).
ShareInterval WilsonInterval(double share, double effective);

}  // namespace heapgauge

#endif  // HEAPGAUGE_REPORTER_HOLDER_NAMES_H_
