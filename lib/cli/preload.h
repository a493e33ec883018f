// LD_PRELOAD: which libheapgauge.so, and how it is written.
#ifndef HEAPGAUGE_CLI_PRELOAD_H_
#define HEAPGAUGE_CLI_PRELOAD_H_

#include <absl/status/statusor.h>

#include <string>
#include <string_view>

namespace heapgauge::cli {

// libheapgauge.so beside the running command: ../lib, ../lib/<machine>, ... as in an installed
// prefix and in the build tree.
absl::StatusOr<std::string> FindLibrary();

// The same for a command that lies in `directory`.
absl::StatusOr<std::string> FindLibraryFrom(const std::string& directory);

// A spelling of `library` without spaces and colons, at which the loader splits LD_PRELOAD: itself
// if it has none, else through a link in a directory that only this user can enter
// ($XDG_RUNTIME_DIR/heapgauge or /tmp/heapgauge-UID).  The link stays: children that run on need
// it.
absl::StatusOr<std::string> PreloadablePath(const std::string& library);

// The library beside the command, spelt as LD_PRELOAD takes it: both of the above.
absl::StatusOr<std::string> LibraryToPreload();

// LD_PRELOAD with `library` first and what the user had behind it, less an older mention of the
// same file.
std::string PreloadValue(const std::string& library, std::string_view before);

}  // namespace heapgauge::cli

#endif  // HEAPGAUGE_CLI_PRELOAD_H_
