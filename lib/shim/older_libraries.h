// Before glibc 2.34 threads and dlopen() are in libpthread and libdl.  The core needs libc alone, so
// that on today's systems no file more is opened at each start of a process: on older ones these
// two are loaded first, for the whole program, which must be so for a program that has threads.
#ifndef HEAPGAUGE_SHIM_OLDER_LIBRARIES_H_
#define HEAPGAUGE_SHIM_OLDER_LIBRARIES_H_

namespace heapgauge {

class OlderLibraries final {
 public:
  OlderLibraries() noexcept;
  OlderLibraries(const OlderLibraries&) = delete;
  OlderLibraries& operator=(const OlderLibraries&) = delete;

  // What was just loaded calls these libraries' functions, whatever the program has under the same
  // names.
  void Bind(void* loaded) const noexcept;

 private:
  void* threads_ = nullptr;
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_SHIM_OLDER_LIBRARIES_H_
