// Where a subcommand's output goes: standard output, or a file that is there whole or not at all.
#ifndef HEAPGAUGE_CLI_OUTPUT_FILE_H_
#define HEAPGAUGE_CLI_OUTPUT_FILE_H_

#include <absl/status/status.h>

#include <string>
#include <string_view>

namespace heapgauge::cli {

// True if standard output is a terminal that wants colour: NO_COLOR is unset or empty, TERM is no
// "dumb".
bool ColourWanted();

// Columns of the terminal at standard output, within reason; 100 where there is none.
size_t TerminalWidth();

// Writes `content` to `path`, "" or "-" being standard output.  A regular file is replaced
// atomically, through a link the file it points to; a device or pipe is written to.
absl::Status WriteOutput(const std::string& path, std::string_view content);

}  // namespace heapgauge::cli

#endif  // HEAPGAUGE_CLI_OUTPUT_FILE_H_
