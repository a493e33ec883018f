// Which root directory a process has: has it entered another one (chroot, pivot_root, setns) since
// it began?
//
// Names that were good at the start mean something else then.  What lies under them inside was put
// there by somebody else, or for somebody else: no program is run and no report written by such a
// name.
#ifndef HEAPGAUGE_BASE_ROOT_IDENTITY_H_
#define HEAPGAUGE_BASE_ROOT_IDENTITY_H_

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>

#include "base/errno_keeper.h"
#include "base/macros.h"

namespace heapgauge {

struct RootIdentity {
  uint64_t device = 0;
  uint64_t file = 0;  // 0: not known
  // Another one in another mount namespace, also where the directory is the same; 0: not known.
  uint64_t mount = 0;

  HG_ALWAYS_INLINE bool known() const noexcept { return file != 0; }
  HG_ALWAYS_INLINE bool Differs(const RootIdentity& other) const noexcept {
    return known() && other.known() &&
           (device != other.device || file != other.file ||
            (mount != 0 && other.mount != 0 && mount != other.mount));
  }
};

#ifndef STATX_MNT_ID
#define STATX_MNT_ID 0x00001000U
#endif

// stx_mnt_id in the kernel's structure; the C library's has no name for it.
inline constexpr size_t kMountIdAt = 0x90;

// Of the root, or of an open descriptor of it; by `call`: the bare system call.
inline constexpr int kNoDescriptor = -1;
template <typename Call>
HG_ALWAYS_INLINE RootIdentity ReadRootIdentity(int descriptor, Call call) noexcept {
  RootIdentity found;
  struct statx wide;
  const bool open = descriptor != kNoDescriptor;
  if (call(SYS_statx, descriptor, open ? "" : "/", open ? AT_EMPTY_PATH : 0,
           STATX_INO | STATX_MNT_ID, &wide) == 0) {
    found.device = uint64_t{wide.stx_dev_major} << 32 | wide.stx_dev_minor;
    found.file = wide.stx_ino;
    if ((wide.stx_mask & STATX_MNT_ID) != 0) {
      __builtin_memcpy(&found.mount, reinterpret_cast<const char*>(&wide) + kMountIdAt,
                       sizeof(uint64_t));
    }
  }
  return found;
}

// That of the start; of the shared object that asks.
inline RootIdentity g_start_root;

inline RootIdentity RootNow(int descriptor = kNoDescriptor) noexcept {
  const ErrnoKeeper errno_keeper;
  return ReadRootIdentity(descriptor, [](auto... arguments) { return syscall(arguments...); });
}

// Once, from the constructor.
inline void LearnStartRoot() noexcept { g_start_root = RootNow(); }

// Has the calling thread another root now?  Where the kernel does not tell (before Linux 4.11, a
// filter without statx): no.
inline bool RootHasChanged() noexcept {
  return g_start_root.known() && g_start_root.Differs(RootNow());
}
// The same of a root that was opened a moment ago, which nobody can exchange any more.
inline bool IsAnotherRoot(int descriptor) noexcept {
  return g_start_root.known() && g_start_root.Differs(RootNow(descriptor));
}

}  // namespace heapgauge

#endif  // HEAPGAUGE_BASE_ROOT_IDENTITY_H_
