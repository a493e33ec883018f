// What glibc's _dl_find_object() tells, for a C library that has none (before 2.35): asked of
// dl_iterate_phdr(), which takes the loader's lock for as long as it lasts.
#ifndef HEAPGAUGE_ELF_FIND_OBJECT_H_
#define HEAPGAUGE_ELF_FIND_OBJECT_H_

#include <dlfcn.h>
#include <link.h>

#include <cstdint>

namespace heapgauge {

using FindObjectCall = int (*)(void* address, dl_find_object* found);

// What the loader's list tells of a module, if it holds the address.  Its program headers are a page of
// its file, which may be gone or overwritten: they are asked about, and no more than claims.
bool FindIn(const dl_phdr_info& module, uintptr_t address, dl_find_object* found) noexcept;

// `maps` is the loader's list of modules; without it nothing is found.
int FindObjectByHand(void* address, const link_map* maps, dl_find_object* found) noexcept;

}  // namespace heapgauge

#endif  // HEAPGAUGE_ELF_FIND_OBJECT_H_
