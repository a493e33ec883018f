// What this library calls that glibc 2.28 does not have.
#include "base/macros.h"
#include "base/older_stat.h"

// What the compiler's start-up code asks for by weak references: a program's answer must not count.
extern "C" {
HG_HIDDEN void __gmon_start__() noexcept {}               // NOLINT
HG_HIDDEN void _ITM_registerTMCloneTable() noexcept {}    // NOLINT
HG_HIDDEN void _ITM_deregisterTMCloneTable() noexcept {}  // NOLINT
}
