// What the program itself wants left out of a check: __lsan_default_suppressions(), which programs
// that are tested with LeakSanitizer define.
#ifndef HEAPGAUGE_REPORTER_OWN_SUPPRESSIONS_H_
#define HEAPGAUGE_REPORTER_OWN_SUPPRESSIONS_H_

#include <string>

namespace heapgauge {

// Lines as of a suppression file; "" if it has none.  Calls a function of the program's: only under
// `heapgauge check`.
std::string OwnSuppressions();

}  // namespace heapgauge

#endif  // HEAPGAUGE_REPORTER_OWN_SUPPRESSIONS_H_
