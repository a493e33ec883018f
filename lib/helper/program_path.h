// Where the programs are that the library starts: libexec/heapgauge of the prefix it lies in.
#ifndef HEAPGAUGE_HELPER_PROGRAM_PATH_H_
#define HEAPGAUGE_HELPER_PROGRAM_PATH_H_

#include <string>

namespace heapgauge {

inline constexpr char kSymbolizeProgram[] = "heapgauge-symbolize";
inline constexpr char kAlertProgram[] = "heapgauge-alert";
inline constexpr char kLsanLibrary[] = "libheapgauge-lsan.so";
inline constexpr char kServeProgram[] = "heapgauge-serve";

// The file that the programs were installed with: libheapgauge.so in a host.  Once, before any
// other thread asks; without it, it is the running program's own file.
void SetInstalledFile(std::string path);

// Absolute path of the program, "" if there is none that this user may run.  To be asked early:
// later the host may have changed its root.
std::string FindProgram(const std::string& name);

// The same, seen from a directory of an installed prefix: bin, lib, lib/<machine>.
std::string FindProgramFrom(const std::string& directory, const std::string& name);

}  // namespace heapgauge

#endif  // HEAPGAUGE_HELPER_PROGRAM_PATH_H_
