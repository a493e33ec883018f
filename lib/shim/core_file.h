// Is the core's file whole?
//
// The loader maps what a file's headers promise and looks no further: of a file that an upgrade or
// a full disk cut short, the pages past its end are mapped too, and the first touch of one is
// SIGBUS.
#ifndef HEAPGAUGE_SHIM_CORE_FILE_H_
#define HEAPGAUGE_SHIM_CORE_FILE_H_

namespace heapgauge {

// False when `path` can be read and is no shared object of this machine's kind, or shorter than its
// headers say.  What can't be opened is the loader's to explain.
bool MayBeLoaded(const char* path) noexcept;

}  // namespace heapgauge

#endif  // HEAPGAUGE_SHIM_CORE_FILE_H_
