// Calls and circles in words, the same in reports, alerts and the graph of services.
#ifndef HEAPGAUGE_REPORT_CALL_WORDS_H_
#define HEAPGAUGE_REPORT_CALL_WORDS_H_

#include <string>
#include <vector>

#include "report/report.h"
#include "report/text_writer.h"

namespace heapgauge {

// Whether memory in flight piles up: it grows, and the growth accounts for what there is.
bool PilesUp(const Call& call);

// A circle that nobody goes round any more is over when this share is left of what it held at most:
// some of that is kept by others.
inline constexpr double kLeftOfCircle = 0.1;

// "43.0 MiB in flight for session (oldest 31 s, +1.20 MiB/s): calls to it do not come back"
std::string CallWords(const Call& call);

// "auth and session", "auth, session and tokens".
std::string NamesInWords(const std::vector<std::string>& names);

// "auth and session call each other in a circle (depth 7, 43.0 MiB in flight, since 02:14:07 UTC)"
std::string CircleWords(const Circle& circle);

// The report's circles, for its first lines; empty without.
std::string CirclesText(const Report& report, const TextOptions& options);
// A section on its calls; empty without.
std::string CallsText(const Report& report, const TextOptions& options);

}  // namespace heapgauge

#endif  // HEAPGAUGE_REPORT_CALL_WORDS_H_
