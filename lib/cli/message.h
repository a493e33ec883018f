// What the command says on standard error: one line each, and safe for a terminal whatever the user
// typed.
#ifndef HEAPGAUGE_CLI_MESSAGE_H_
#define HEAPGAUGE_CLI_MESSAGE_H_

#include <absl/status/status.h>

#include <string_view>

namespace heapgauge::cli {

inline constexpr int kExitGood = 0;
inline constexpr int kExitFound = 1;        // a leak, or what --fail-on names
inline constexpr int kExitUsage = 2;        // wrong arguments, unreadable input, unwritable output
inline constexpr int kExitCannotRun = 126;  // as env, nice and the shells do
inline constexpr int kExitNotFound = 127;

// "heapgauge: <text>" in one write(2), so that lines of parallel processes don't mix.
void Say(std::string_view text);

// Says it and returns kExitUsage, for `return Fail("...")`.
int Fail(std::string_view text);

// The same of what went wrong elsewhere: its text, whatever its code.
void Say(const absl::Status& status);
int Fail(const absl::Status& status);

}  // namespace heapgauge::cli

#endif  // HEAPGAUGE_CLI_MESSAGE_H_
