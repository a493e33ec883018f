// dlsym(), dlvsym() and dlopen() as modules get them whose references are redirected
// (other_names.h): what is looked up by name is the hook where it would have been the next
// allocator's function, and what dlopen() brings is redirected before anybody calls it.
//
// The loader asks who its caller is: RTLD_NEXT means "behind the caller's module", RTLD_DEFAULT
// looks in the caller's own dependencies last, and dlopen() of a bare name along the caller's
// RUNPATH.  So such calls end in a jump, which leaves the caller the caller; they are compiled as
// the hooks of malloc are, without a frame.
#include <dlfcn.h>
#include <string.h>

#include "base/errno_keeper.h"
#include "shim/core_loader.h"
#include "shim/other_names.h"

using namespace heapgauge;  // NOLINT: as malloc_hooks.cc

#define HG_LOOKUP_HOOK(type, name, ...)                                              \
  extern "C" HG_HIDDEN type OtherHook_##name(__VA_ARGS__) __asm__("hg_hook_" #name); \
  type OtherHook_##name(__VA_ARGS__)

namespace {

template <int kIndex, typename Result, typename... Args>
HG_ALWAYS_INLINE Result Original(Args... args) noexcept {
  return reinterpret_cast<Result (*)(Args...)>(g_other_names[kIndex].original)(args...);
}

// RTLD_NEXT is how wrappers find what they wrap.
HG_ALWAYS_INLINE bool MayLeadPastUs(void* handle, const char* name) noexcept {
  return handle != RTLD_NEXT && name != nullptr && FindAnyEntryPoint(name) != nullptr;
}

// Not for a module that is not ours to look into: the caller asks again, and in its own name.
struct Answer {
  void* symbol;
  bool final;
};
Answer InPlaceOf(void* handle, const char* name, void* found) noexcept {
  void* const hook = HookInPlaceOf(name, found);
  if (hook != nullptr) return {hook, true};
  return {found, handle != RTLD_DEFAULT};
}

HG_COLD Answer LookUp(void* handle, const char* name) noexcept {
  return InPlaceOf(handle, name, Original<kIndexOf_dlsym, void*>(handle, name));
}

HG_COLD Answer LookUpVersion(void* handle, const char* name, const char* version) noexcept {
  return InPlaceOf(handle, name, Original<kIndexOf_dlvsym, void*>(handle, name, version));
}

// A name that says where the file is: then nobody asks who the caller is.
bool IsPlace(const char* file) noexcept {
  return file != nullptr && strchr(file, '/') != nullptr && strchr(file, '$') == nullptr;
}

// A dlopen() of a bare name may have brought modules.  Whoever loads one by hand asks for its
// functions by dlsym() next.
std::atomic<bool> g_modules_to_see{false};

HG_COLD void SeeModules() noexcept {
  // relaxed: set by the thread that asks next, as a rule.
  if (!g_modules_to_see.exchange(false, std::memory_order_relaxed)) return;
  const CoreApi* const core = Core();
  if (core != nullptr) core->modules_came();
}

HG_COLD void* Load(const char* file, int mode) noexcept {
  void* const module = Original<kIndexOf_dlopen, void*>(file, mode);
  const CoreApi* const core = Core();
  if (module != nullptr && core != nullptr) core->modules_came();
  return module;
}

}  // namespace

HG_LOOKUP_HOOK(void*, dlsym, void* handle, const char* name) {
  if (HG_UNLIKELY(g_modules_to_see.load(std::memory_order_relaxed)))
    SeeModules();  // relaxed: there
  if (MayLeadPastUs(handle, name)) {
    const Answer answer = LookUp(handle, name);
    if (answer.final) return answer.symbol;
  }
  return Original<kIndexOf_dlsym, void*>(handle, name);
}

HG_LOOKUP_HOOK(void*, dlvsym, void* handle, const char* name, const char* version) {
  if (MayLeadPastUs(handle, name)) {
    const Answer answer = LookUpVersion(handle, name, version);
    if (answer.final) return answer.symbol;
  }
  return Original<kIndexOf_dlvsym, void*>(handle, name, version);
}

HG_LOOKUP_HOOK(void*, dlopen, const char* file, int mode) {
  // relaxed: the loader's locks come between this and the look at what was loaded.
  if ((mode & RTLD_DEEPBIND) != 0) g_deeply_bound.store(true, std::memory_order_relaxed);
  if (IsPlace(file)) return Load(file, mode);
  if (file != nullptr) g_modules_to_see.store(true, std::memory_order_relaxed);  // relaxed: there
  return Original<kIndexOf_dlopen, void*>(file, mode);
}
