// "Did you mean": the nearest of the names there are.
#ifndef HEAPGAUGE_CLI_SUGGEST_H_
#define HEAPGAUGE_CLI_SUGGEST_H_

#include <span>
#include <string>
#include <string_view>

namespace heapgauge::cli {

// The name nearest to `typed` (insertions, deletions, replacements and swaps of neighbours count
// one each), or "" when none is near enough to be meant: a third of its letters may differ, at
// least one.  A name that `typed` abbreviates counts as near.
std::string Nearest(std::string_view typed, std::span<const std::string> names);

// "; did you mean NAME?" or "".
std::string DidYouMean(std::string_view typed, std::span<const std::string> names);

}  // namespace heapgauge::cli

#endif  // HEAPGAUGE_CLI_SUGGEST_H_
