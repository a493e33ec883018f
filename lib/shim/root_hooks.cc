#include "shim/root_hooks.h"

#include <errno.h>
#include <sched.h>
#include <sys/types.h>

#include "core_api/core_api.h"
#include "shim/core_loader.h"
#include "shim/next_allocator.h"

namespace heapgauge {
namespace {

enum RootCall : int { kChroot, kUnshare, kSetns, kSetuid, kSetreuid, kSetresuid, kRootCalls };
constexpr const char* kNames[kRootCalls] = {"chroot", "unshare",  "setns",
                                            "setuid", "setreuid", "setresuid"};
void* g_next_calls[kRootCalls];

template <typename... Args>
int Next(RootCall call, Args... args) noexcept {
  // Before the constructor there is one thread, and nothing but the loader above it.
  if (HG_UNLIKELY(g_next_calls[call] == nullptr)) FindNextRootCalls();
  if (HG_UNLIKELY(g_next_calls[call] == nullptr)) {
    errno = ENOSYS;
    return -1;
  }
  return reinterpret_cast<int (*)(Args...)>(g_next_calls[call])(args...);
}

void BeforeRootChange() noexcept {
  if (const CoreApi* const core = Core()) core->before_root_change();
}

// -1 leaves an id as it is.
constexpr bool IsAnother(uid_t user) noexcept {
  return user != 0 && user != static_cast<uid_t>(-1);
}

// `make` changes the user to `user`; `for_good`: with no way back.
template <typename Make>
int ChangeUser(uid_t user, bool for_good, Make make) noexcept {
  const CoreApi* const core = for_good ? Core() : nullptr;
  const bool given = core != nullptr && core->give_reports(user);
  const int result = make();
  if (given && result != 0) core->take_reports_back(user);
  return result;
}

}  // namespace

void FindNextRootCalls() noexcept {
  for (int i = 0; i < kRootCalls; ++i) {
    if (g_next_calls[i] == nullptr) g_next_calls[i] = NextSymbol(kNames[i]);
  }
}

}  // namespace heapgauge

using namespace heapgauge;  // NOLINT: as malloc_hooks.cc

extern "C" HG_EXPORT int chroot(const char* path) noexcept {
  BeforeRootChange();
  return Next(kChroot, path);
}

extern "C" HG_EXPORT int unshare(int flags) noexcept {
  if ((flags & CLONE_NEWNS) != 0) BeforeRootChange();
  return Next(kUnshare, flags);
}

extern "C" HG_EXPORT int setns(int fd, int spaces) noexcept {
  if (spaces == 0 || (spaces & CLONE_NEWNS) != 0) BeforeRootChange();
  return Next(kSetns, fd, spaces);
}

extern "C" HG_EXPORT int setuid(uid_t user) noexcept {
  return ChangeUser(user, IsAnother(user), [=] { return Next(kSetuid, user); });
}

extern "C" HG_EXPORT int setreuid(uid_t real, uid_t effective) noexcept {
  return ChangeUser(effective, IsAnother(real) && IsAnother(effective),
                    [=] { return Next(kSetreuid, real, effective); });
}

extern "C" HG_EXPORT int setresuid(uid_t real, uid_t effective, uid_t saved) noexcept {
  return ChangeUser(effective, IsAnother(real) && IsAnother(effective) && IsAnother(saved),
                    [=] { return Next(kSetresuid, real, effective, saved); });
}
