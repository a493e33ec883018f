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
#include "reporter/holder_places.h"
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

  // `variables`: whether the helper is asked for them.
  HolderNames(const SiteIdentity& identity, bool variables)
      : identity_(identity), names_(variables), places_(identity, names_) {}

  // Of all that was found in one look: the variables.  Costs the start of the helper.
  void LookUp(const std::vector<HolderSearch::Holder>& holders, HolderSearch& search) {
    variables_ = places_.NameAll(holders, search);
  }
  // Of one call site.  All but the time.
  Held Describe(const std::vector<Found>& found, HolderSearch& search) const;

 private:
  struct Named {
    std::string name;
    std::string module;
    std::string section;
  };
  std::vector<Named> NameGlobals(std::vector<uintptr_t> words) const;

  const VariablePlace* VariableOf(const HolderSearch::Holder& holder) const;

  const SiteIdentity& identity_;
  VariableNames names_;
  HolderPlaces places_;
  HolderPlaces::Names variables_;  // of the last look
};

struct ShareInterval {
  double low = 0;
  double high = 1;
};
// Of a share of which `effective` independent samples were seen (Wilson).
ShareInterval WilsonInterval(double share, double effective);

}  // namespace heapgauge

#endif  // HEAPGAUGE_REPORTER_HOLDER_NAMES_H_
