// Where the file of the running program is.
#ifndef HEAPGAUGE_SYMBOLIZE_MAIN_EXECUTABLE_H_
#define HEAPGAUGE_SYMBOLIZE_MAIN_EXECUTABLE_H_

#include <cstdint>
#include <string>

namespace heapgauge::symbolize {

// Path of the file behind /proc/self/exe, without the kernel's " (deleted)"; else, where /proc is
// missing, what execve was given (AT_EXECFN).  "" if neither is known.
std::string MainExecutablePath();

// Path of the file mapped at this address as /proc/self/maps has it; "" if none or no /proc. Needed
// for a program started as `ld.so program`, where /proc/self/exe is the loader.
std::string MappedFileAt(uintptr_t address);

// `path` made absolute with the current directory where that finds a file, else unchanged.
std::string AbsolutePath(const std::string& path);

}  // namespace heapgauge::symbolize

#endif  // HEAPGAUGE_SYMBOLIZE_MAIN_EXECUTABLE_H_
