// An end to the time that one name may take: a damaged name among good ones costs its own, not all.
#ifndef HEAPGAUGE_DWARF_NAME_TIME_H_
#define HEAPGAUGE_DWARF_NAME_TIME_H_

#include "symbolize/demangle.h"

namespace heapgauge::dwarf {

// Processor time of this program (the kernel counts it by its tick).  The longest names that are
// read take some 10 ms.
inline constexpr int kNameMilliseconds = 100;

// By SIGVTALRM, whose handler is set with the first name.  One thread at a time.
extern const symbolize::TimeForName kTimeForName;

}  // namespace heapgauge::dwarf

#endif  // HEAPGAUGE_DWARF_NAME_TIME_H_
