// Reaches the hooks where the program's symbols lead past them: by the modules' own tables of
// addresses.
//
// A module calls malloc() through a word in its global offset table, which the loader fills with
// the first malloc of the program's symbol order.  Preloaded first, that is ours.  Where another
// one comes first (a library preloaded before us), or where we are loaded into a process that runs,
// each such word that holds the address of that allocator's function is overwritten with our
// hook's.  Words that hold anything else are left alone: what they lead to is somebody's own
// business, and coverage says so.
//
// How a word is changed: elf/module_words.h (W1 to W4).  Which ones:
//
// G1  Both values lead to the same allocator.
// G2  No module of ours, not the loader, and not the allocator's own module, whose inner calls are
//     no requests of the program's.  The C library is redirected although it may be the allocator:
//     its malloc does not call itself through the table, and strdup() and the like do.
// G3  A module that the loader is still at work on (W3) is left, and its turn comes later.
// G4  The hooks stay loaded as long as the process lives (-z nodelete).
#ifndef HEAPGAUGE_SHIM_REDIRECT_H_
#define HEAPGAUGE_SHIM_REDIRECT_H_

#include "core_api/core_api.h"

namespace heapgauge {

// Redirects what all modules that are loaded now refer to.  Takes the loader's lock, and reads
// /proc/self/maps (without it read-only pages are left alone); one thread at a time, a second one
// returns at once.
void RedirectModules() noexcept;

// The same, for the report thread, where modules were redirected before: if modules have come since
// or were left for later.  With `all` also what the loader may have bound meanwhile, for a thread
// that called a function for the first time while we redirected it: until a walk has met nothing
// that is still to be bound and has changed nothing.
void RedirectNewModules(bool all) noexcept;

// Looks, and changes nothing.
void MeasureCoverage(Coverage* coverage) noexcept;

}  // namespace heapgauge

#endif  // HEAPGAUGE_SHIM_REDIRECT_H_
