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
// G1  A word is changed by one aligned store, from one good value to another: a thread that calls
//     through it meanwhile gets either.  Both lead to the same allocator.
// G2  No module of ours, not the loader, and not the allocator's own module, whose inner calls are
//     no requests of the program's.  The C library is redirected although it may be the allocator:
//     its malloc does not call itself through the table, and strdup() and the like do.
// G3  Pages that the loader makes read-only are opened for the time of a pass and closed again, and
//     only when they were read-only before: while another thread is inside dlopen(), a module may
//     be in the list whose words the loader is still writing.  Such a module's turn comes later.
// G4  Nothing is ever put back: the hooks stay loaded as long as the process lives (-z nodelete).
#ifndef HEAPGAUGE_SHIM_REDIRECT_H_
#define HEAPGAUGE_SHIM_REDIRECT_H_

#include "core_api/core_api.h"

namespace heapgauge {

// Redirects what all modules that are loaded now refer to.  Takes the loader's lock, and reads
// /proc/self/maps (without it read-only pages are left alone); one thread at a time, a second one
// returns at once.
void RedirectModules() noexcept;

// The same, for the report thread, where modules were redirected before.  Unless `all`, only if
// modules have come since or were left for later.  With it also what the loader has bound meanwhile
// for a thread that called a function for the first time while we redirected it.
void RedirectNewModules(bool all) noexcept;

// Looks, and changes nothing.
void MeasureCoverage(Coverage* coverage) noexcept;

}  // namespace heapgauge

#endif  // HEAPGAUGE_SHIM_REDIRECT_H_
