// What this library itself calls is the C library's, whatever the program has under the same names.
//
// It stands in the program's global scope: its calls of read(), open() or dlsym() would be bound to
// the first such function in the program's symbol order, and a program may have one of its own that
// does something else.  So they are no imports (library_calls.h), and before anything is called the C
// library and the loader are found without the help of any symbol.
//
// Variables stay as they are: for these the program's copy is the one that the C library uses too.
#ifndef HEAPGAUGE_SHIM_OWN_IMPORTS_H_
#define HEAPGAUGE_SHIM_OWN_IMPORTS_H_

#include <link.h>

#include "base/macros.h"
#include "elf/find_object.h"

namespace heapgauge {

// The first thing that this library does, on one thread.  Nothing that could call a function of
// another module may stand before it, errno included.
HG_HIDDEN void BindOwnImports() noexcept;

// After that: the C library's _dl_find_object(), nullptr before glibc 2.35; and the library that has
// dlopen() and dlsym() before glibc 2.34, nullptr where the C library has them.
HG_HIDDEN FindObjectCall FindObject() noexcept;
HG_HIDDEN const link_map* SeparateLoading() noexcept;

}  // namespace heapgauge

#endif  // HEAPGAUGE_SHIM_OWN_IMPORTS_H_
