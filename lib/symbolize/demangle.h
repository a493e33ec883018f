// C++ and Rust symbol names for people.
#ifndef HEAPGAUGE_SYMBOLIZE_DEMANGLE_H_
#define HEAPGAUGE_SYMBOLIZE_DEMANGLE_H_

#include <setjmp.h>

#include <cstddef>
#include <string>
#include <string_view>

namespace heapgauge::symbolize {

// The demangler keeps arrays proportional to the name on the stack and recurses with its nesting.
// A name of this length, nested as deeply as one can be, takes under kDemangleStackBytes (measured
// by demangle_test); longer ones stay mangled inside a host.  The helper has a stack of its own.
inline constexpr size_t kMaxMangledInHost = 512;
inline constexpr size_t kDemangleStackBytes = size_t{192} * 1024;

// Function names beyond this lose what stands in brackets, "std::vector<...>::insert(...)":
// template names of 100 KiB exist, and nobody reads them.
inline constexpr size_t kMaxFunctionName = 4096;

// An end to the time for one name: Start() makes the demangler be left through `*leave`, with
// kNameTooSlow, when the time is over; End() calls that off.
struct TimeForName {
  void (*start)(sigjmp_buf* leave);
  void (*end)();
};
inline constexpr int kNameTooSlow = 2;

// C++ and Rust's older form.  The name unchanged where it isn't a mangled one, is damaged, is
// longer than `max_mangled`, took more than `time`, or could take for ever without one.
std::string Demangle(const std::string& name, size_t max_mangled = kMaxMangledInHost,
                     const TimeForName* time = nullptr);

// Whether `shown` is the symbol itself, and there is something in it that a reader of C++ names
// could take for template arguments or parameters: a C symbol may be called "a(b)".
inline bool IsVerbatim(std::string_view symbol, std::string_view shown) {
  return symbol == shown && symbol.find_first_of("(<[{ ") != std::string_view::npos;
}

// Would Demangle() leave it as it is inside a host, and the helper would not?
bool NeedsHelperToRead(std::string_view name);

// Says a name in pieces; 0 if it was one.
using Demangler = int (*)(const char* mangled,
                          void (*take)(const char* piece, size_t length, void* data), void* data);

// What `demangler` says of it, shortened as above and left in time; the name where it is none or
// `time` was over first.  The demangler is C code that may be left by longjmp().
std::string DemangleBy(Demangler demangler, const std::string& name,
                       const TimeForName* time = nullptr);

}  // namespace heapgauge::symbolize

#endif  // HEAPGAUGE_SYMBOLIZE_DEMANGLE_H_
