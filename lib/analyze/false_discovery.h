// Thousands of sites are tested at every report; some look guilty by chance.  Which may be named?
#ifndef HEAPGAUGE_ANALYZE_FALSE_DISCOVERY_H_
#define HEAPGAUGE_ANALYZE_FALSE_DISCOVERY_H_

#include <span>

namespace heapgauge {

// Benjamini and Hochberg 1995: the largest p-value that may be called a discovery when a share q of
// the discoveries may be false; `tests` counts those whose p-value isn't handed in, too (they
// didn't reject).  0: none may.
double PValueThreshold(std::span<const double> p_values, size_t tests, double q);

// The same for e-values (Wang and Ramdas 2022): the least e-value that may be called a discovery;
// infinity: none may. It needs no independence between sites, and an e-value stays valid however
// often one looks.
double EValueThreshold(std::span<const double> e_values, size_t tests, double q);

}  // namespace heapgauge

#endif  // HEAPGAUGE_ANALYZE_FALSE_DISCOVERY_H_
