// The result of a soak as text for people, and in the formats of machines.
#ifndef HEAPGAUGE_CLI_SOAK_WRITERS_H_
#define HEAPGAUGE_CLI_SOAK_WRITERS_H_

#include <cstddef>
#include <string>
#include <vector>

#include "cli/soak_result.h"

namespace heapgauge::cli {

// One screen.
std::string SoakToText(const SoakResult& result, size_t width, bool colour);
// heapgauge.soak/1
std::string SoakToJson(const SoakResult& result);
// A test case for each leak, or one for the soak.
std::string SoakToJunit(const SoakResult& result);
// For a merge request's comment or a step summary.
std::string SoakToMarkdown(const SoakResult& result);
// A page of its own, without anything from elsewhere.
std::string SoakToHtml(const SoakResult& result);

// Where resident memory is, part by part: the same rows wherever they are shown.
struct SoakMemoryRow {
  const char* name;
  double before = 0;
  double after = 0;
};
std::vector<SoakMemoryRow> SoakMemoryRows(const SoakResult& result);

// "NO LEAK", "LEAK in 2 call sites", "TOO SHORT TO SAY"
std::string SoakHeadline(const SoakResult& result);
// "One of 9 B a request or 1.1 MiB an hour would have been found with 95 % certainty."
std::string PowerSentence(const SoakResult& result);
// How long a run must be to see smaller ones; "" where that is not known.
std::string LongerSentence(const SoakResult& result);

}  // namespace heapgauge::cli

#endif  // HEAPGAUGE_CLI_SOAK_WRITERS_H_
