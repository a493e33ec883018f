// A leak under a LOAD that slows down looks like a cache that fills, by time: both grow more and
// more slowly.  By the work that SERVICE does a leak goes on as ever, and a cache does not.
#ifndef HEAPGAUGE_CLI_SOAK_PACE_H_
#define HEAPGAUGE_CLI_SOAK_PACE_H_

#include <optional>
#include <string>

#include "cli/soak_judge.h"

namespace heapgauge::cli {

// What shows that the call site `id`, where hardly anything dies, keeps pace with all that other
// call sites allocate, while that has become less; nullopt where it does not, or where the judged
// part is too short to say.
std::optional<std::string> KeepsPace(const SoakProcess& process, const SoakWindow& window,
                                     const std::string& id);

}  // namespace heapgauge::cli

#endif  // HEAPGAUGE_CLI_SOAK_PACE_H_
