// Functions for the call sites of short-lived children, which tell module and offset alone.
#ifndef HEAPGAUGE_CLI_CHILD_NAMES_H_
#define HEAPGAUGE_CLI_CHILD_NAMES_H_

#include "report/children_file.h"

namespace heapgauge::cli {

// From the symbol tables of the modules as they are on this machine now; what is not found keeps
// its offset.
void NameCallsites(ChildrenSummary* children);

}  // namespace heapgauge::cli

#endif  // HEAPGAUGE_CLI_CHILD_NAMES_H_
