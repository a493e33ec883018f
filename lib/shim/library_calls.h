// The C library's functions as this library calls them: not by imports, which the loader answers.
//
// An import is bound to the first function of that name in the program's order, before any code of
// ours runs.  Where the program has one that it chooses by the processor (an IFUNC: target_clones),
// the loader ends the process, for that program is not ready yet to be asked.  So each name of
// library_calls.inc is a function of this library's own, a jump through a word that
// BindOwnImports() fills.
#ifndef HEAPGAUGE_SHIM_LIBRARY_CALLS_H_
#define HEAPGAUGE_SHIM_LIBRARY_CALLS_H_

#include <cstddef>

#include "base/macros.h"
#include "elf/imports.h"

namespace heapgauge {

// Fills the words from these libraries, in their order, with `own` as this library's module.  What
// none of them has answers 0.  Calls nothing.
HG_HIDDEN void BindLibraryCalls(const ElfModule& own, const ElfModule* libraries,
                                size_t count) noexcept;

// After that: a function of glibc's, by which it is found among the modules; nullptr where the C
// library is another one.
HG_HIDDEN const void* InGlibc() noexcept;

}  // namespace heapgauge

#endif  // HEAPGAUGE_SHIM_LIBRARY_CALLS_H_
