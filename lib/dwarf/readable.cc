#include "dwarf/readable.h"

#include <sys/resource.h>

#include <algorithm>
#include <limits>

#include "dwarf/name_time.h"
#include "symbolize/demangle.h"
#include "symbolize/rust_name.h"

#ifdef HEAPGAUGE_HAS_LIBIBERTY
// GNU libiberty's, as its demangle.h has them; several packages have a header of that name.
using Take = void(const char* piece, size_t length, void* data);
extern "C" int rust_demangle_callback(const char* mangled, int options, Take* take, void* data);
extern "C" int cplus_demangle_v3_callback(const char* mangled, int options, Take* take, void* data);
#endif

namespace heapgauge::dwarf {
namespace {

#ifdef HEAPGAUGE_HAS_LIBIBERTY

// The C++ library's demangler refuses names of more than 1024 bytes; this one takes them where it
// is told that there is stack enough: under 350 bytes for each of the name's, measured with the
// deepest ones (tests/unit/dwarf/readable_test.cc).
constexpr int kWithParameters = 1;
constexpr int kWithAnsi = 2;
constexpr int kWithoutLimit = 1 << 18;
constexpr size_t kRefused = 1024;
constexpr size_t kStackForOne = 512;
constexpr size_t kLongest = size_t{16} * 1024;

int Rust(const char* name, Take* take, void* data) {
  return rust_demangle_callback(name, 0, take, data) != 0 ? 0 : -1;
}

int Cpp(const char* name, Take* take, void* data) {
  constexpr int kOptions = kWithParameters | kWithAnsi | kWithoutLimit;
  return cplus_demangle_v3_callback(name, kOptions, take, data) != 0 ? 0 : -1;
}

size_t LongestName() {
  rlimit stack;
  if (getrlimit(RLIMIT_STACK, &stack) != 0) return 0;
  return std::min<size_t>(kLongest, stack.rlim_cur / kStackForOne);
}

#endif

}  // namespace

std::string Readable(const std::string& name) {
#ifdef HEAPGAUGE_HAS_LIBIBERTY
  if (symbolize::IsRustV0(name)) return symbolize::DemangleBy(Rust, name, &kTimeForName);
  if (name.starts_with("_Z") && name.size() >= kRefused && name.size() <= LongestName()) {
    return symbolize::DemangleBy(Cpp, name, &kTimeForName);
  }
#endif
  return symbolize::Demangle(name, std::numeric_limits<size_t>::max(), &kTimeForName);
}

}  // namespace heapgauge::dwarf
