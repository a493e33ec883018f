// The calls before which the report thread must step out of the way.
//
//   setuid .. setgroups, initgroups   libc makes every thread follow, and aborts the process when
//   one
//                                     answers differently, as ours does where the program's thread
//                                     has capabilities that the others lack
//   capset                            changes the calling thread alone: ours would keep what the
//                                     program gives up
//   setuid, setreuid, setresuid       of root, for good: the report directory is given to the new
//   user unshare, setns                    some kinds are refused to a process with two threads;
//   with the
//                                     others our thread would stay behind in the old namespace
//
// Exported, like the malloc family; where a program reaches the C library's past us (a handle of
// dlopen(), RTLD_DEEPBIND, an attached process) by redirecting (other_names.h).
#ifndef HEAPGAUGE_SHIM_ID_HOOKS_H_
#define HEAPGAUGE_SHIM_ID_HOOKS_H_

#include <cstdint>

#include "base/macros.h"

namespace heapgauge {

// Name, parameters, arguments.
// clang-format off
#define HG_CALLS_OF_ALL(X)                                                         \
  X(seteuid, (uid_t id), (id)) X(setgid, (gid_t id), (id)) X(setegid, (gid_t id), (id))                         \
  X(setregid, (gid_t real, gid_t effective), (real, effective))                    \
  X(setresgid, (gid_t real, gid_t effective, gid_t saved), (real, effective, saved)) \
  X(setgroups, (size_t count, const gid_t* groups), (count, groups))               \
  X(initgroups, (const char* user, gid_t group), (user, group))                    \
  X(capset, (void* head, const void* data), (head, data))
#define HG_ID_CALLS(X) HG_CALLS_OF_ALL(X) \
  X(setuid, , ) X(setreuid, , ) X(setresuid, , ) X(unshare, , ) X(setns, , )
// clang-format on

// Looks up what these calls lead to behind us, once, from the constructor: later it might be a
// vfork() child, or a handler, that asks.
HG_HIDDEN void FindNextIdCalls() noexcept;

// What `name` leads to behind us, as FindNextIdCalls() found it; 0: nothing, or none of these.
HG_HIDDEN uintptr_t NextIdCall(const char* name) noexcept;

}  // namespace heapgauge

#endif  // HEAPGAUGE_SHIM_ID_HOOKS_H_
