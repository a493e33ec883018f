// Where the heapgauge command is, seen from the library that runs inside a host.
#ifndef HEAPGAUGE_SYMBOLIZE_HELPER_PATH_H_
#define HEAPGAUGE_SYMBOLIZE_HELPER_PATH_H_

#include <string>

namespace heapgauge::symbolize {

// Absolute path of the command that belongs to the module this code is in: ../bin, ../../bin (for
// lib/<machine>/) or the module's own directory.  "" if there is none that this user may run.
// To be asked early: later the host may have changed its root or its directory.
std::string FindHelper();

// The same from a given module's directory.
std::string FindHelperFrom(const std::string& directory);

}  // namespace heapgauge::symbolize

#endif  // HEAPGAUGE_SYMBOLIZE_HELPER_PATH_H_
