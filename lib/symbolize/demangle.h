// C++ symbol names for people.
#ifndef HEAPGAUGE_SYMBOLIZE_DEMANGLE_H_
#define HEAPGAUGE_SYMBOLIZE_DEMANGLE_H_

#include <cstddef>
#include <string>

namespace heapgauge::symbolize {

// The demangler keeps arrays proportional to the name on the stack and recurses with its nesting.
// A name of this length, nested as deeply as one can be, takes under kDemangleStackBytes (measured
// by demangle_test); longer ones stay mangled inside a host.  The helper has a stack of its own.
inline constexpr size_t kMaxMangledInHost = 512;
inline constexpr size_t kDemangleStackBytes = size_t{192} * 1024;

// Function names beyond this are cut: template names of 100 KiB exist, and nobody reads them.
inline constexpr size_t kMaxFunctionName = 4096;

// The name unchanged where it isn't a mangled one, is damaged, or is longer than `max_mangled`.
std::string Demangle(const std::string& name, size_t max_mangled = kMaxMangledInHost);

}  // namespace heapgauge::symbolize

#endif  // HEAPGAUGE_SYMBOLIZE_DEMANGLE_H_
