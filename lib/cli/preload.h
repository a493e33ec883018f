// LD_PRELOAD: which libheapgauge.so, and how it is written.
#ifndef HEAPGAUGE_CLI_PRELOAD_H_
#define HEAPGAUGE_CLI_PRELOAD_H_

#include <string>
#include <string_view>

namespace heapgauge::cli {

// libheapgauge.so beside the running command: ../lib, ../lib/<machine>, ... as in an installed
// prefix and in the build tree.  "" with one line in *error when there is none.
std::string FindLibrary(std::string* error);

// The same for a command that lies in `directory`.
std::string FindLibraryFrom(const std::string& directory, std::string* error);

// A spelling of `library` without spaces and colons, at which the loader splits LD_PRELOAD: itself
// if it has none, else through a link in a directory that only this user can enter
// ($XDG_RUNTIME_DIR/heapgauge or /tmp/heapgauge-UID).  The link stays: children that run on need
// it.  "" with one line in *error if no such link can be made.
std::string PreloadablePath(const std::string& library, std::string* error);

// The library beside the command, spelt as LD_PRELOAD takes it: both of the above.
std::string LibraryToPreload(std::string* error);

// LD_PRELOAD with `library` first and what the user had behind it, less an older mention of the
// same file.
std::string PreloadValue(const std::string& library, std::string_view before);

}  // namespace heapgauge::cli

#endif  // HEAPGAUGE_CLI_PRELOAD_H_
