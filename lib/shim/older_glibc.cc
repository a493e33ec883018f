// What this library calls that glibc 2.28 has under another version, or not at all.
#include "base/glibc_version.h"
#include "base/older_stat.h"

// Weak: before glibc 2.34 they are in libdl, and BindOwnImports() finds them there.
HG_FORWARD_TO_VERSION("weak", dladdr, HG_GLIBC_FIRST);
HG_FORWARD_TO_VERSION("weak", dladdr1, HG_GLIBC_VERSION("GLIBC_2.3.3", "GLIBC_2.17"));
HG_FORWARD_TO_VERSION("weak", dlerror, HG_GLIBC_FIRST);
HG_FORWARD_TO_VERSION("weak", dlopen, HG_GLIBC_FIRST);
HG_FORWARD_TO_VERSION("weak", dlsym, HG_GLIBC_FIRST);
HG_FORWARD_TO_VERSION("weak", dlvsym, HG_GLIBC_FIRST);

// What the compiler's start-up code asks for by weak references: a program's answer must not count.
extern "C" {
HG_HIDDEN void __gmon_start__() noexcept {}               // NOLINT
HG_HIDDEN void _ITM_registerTMCloneTable() noexcept {}    // NOLINT
HG_HIDDEN void _ITM_deregisterTMCloneTable() noexcept {}  // NOLINT
}
