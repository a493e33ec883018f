// The C++ library's record of the exceptions that a thread is handling, in initial-exec TLS.
//
// Its own is dynamic TLS, since it can't know how it will be loaded: made at a thread's first
// exception, and where there is no memory for it the loader ends the process.  An exception for
// want of memory is just what the report path must survive.  Sixteen bytes of the space that the
// loader keeps for late libraries are there from the thread's beginning.
//
// Linked into the core ahead of the C++ library's archive, whose copy then stays out
// (preload.library.tls sees to that).
#include <cxxabi.h>

namespace __cxxabiv1 {

// The ABI prescribes this much; the unwinder's side of it is opaque.
struct __cxa_eh_globals {
  void* caught_exceptions;
  unsigned int uncaught_exceptions;
#if defined(__ARM_EABI_UNWINDER__)
  void* propagating_exceptions;
#endif
};

namespace {
thread_local constinit __cxa_eh_globals t_globals __attribute__((tls_model("initial-exec"))) = {};
}  // namespace

extern "C" {
__cxa_eh_globals* __cxa_get_globals() noexcept { return &t_globals; }
__cxa_eh_globals* __cxa_get_globals_fast() noexcept { return &t_globals; }
}

}  // namespace __cxxabiv1
