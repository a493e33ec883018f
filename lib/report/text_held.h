// Who holds what a call site left behind, in one sentence.
#ifndef HEAPGAUGE_REPORT_TEXT_HELD_H_
#define HEAPGAUGE_REPORT_TEXT_HELD_H_

#include <string>

#include "report/report.h"

namespace heapgauge {

// "nothing points to 41 of 41 of them any more", "kept in g_sessions (checkout_service .bss), 37 of
// 37".  Safe to print.
std::string HeldSentence(const Held& held);

// One part of it: "kept in g_sessions (checkout_service .bss), 37 of 37".
std::string HolderSentence(const Held& held, const Holder& holder);

}  // namespace heapgauge

#endif  // HEAPGAUGE_REPORT_TEXT_HELD_H_
