// operator new and delete, all forms, on the next allocator's malloc and free.
//
// The C++ library's own would call our malloc: the same blocks, one jump more, and one wrapper
// frame in each stack. They are still asked when memory runs out, for the new_handler loop and
// std::bad_alloc are theirs.  When somebody else's operator new comes next, everything is forwarded
// to it (NextAllocator::foreign_new).
#include <dlfcn.h>

#include <cstddef>
#include <cstdint>
#include <new>

#include "shim/next_allocator.h"
#include "shim/sampled_paths.h"
#include "shim/thread_state.h"

using namespace heapgauge;  // NOLINT: the hooks themselves live outside any namespace

#define HG_CALLER __builtin_return_address(0)

namespace {

// The definition of an operator that would have been called without us.  In a C host it arrives
// with a plugin, out of reach of RTLD_NEXT, but under a name that is always the same.
// The C++ library, when it is out of reach of RTLD_NEXT.  Found before it is needed: an operator
// new that fails has no memory left for a dlopen.
void* g_cxx_library = nullptr;

void* FindCxxLibrary() noexcept {
  void* const library = dlopen("libstdc++.so.6", RTLD_LAZY | RTLD_NOLOAD);
  return library != nullptr ? library : dlopen("libc++.so.1", RTLD_LAZY | RTLD_NOLOAD);
}

template <typename Function>
Function* Operator(const char* mangled) noexcept {
  void* symbol = NextSymbol(mangled);
  if (symbol == nullptr) {
    if (g_cxx_library == nullptr) g_cxx_library = FindCxxLibrary();
    if (g_cxx_library != nullptr) symbol = dlsym(g_cxx_library, mangled);
  }
  return reinterpret_cast<Function*>(symbol);
}

using New = void*(size_t);
using NewNothrow = void*(size_t, const std::nothrow_t&);
using NewAligned = void*(size_t, std::align_val_t);
using NewAlignedNothrow = void*(size_t, std::align_val_t, const std::nothrow_t&);
using Delete = void(void*);
using DeleteSized = void(void*, size_t);
using DeleteAligned = void(void*, std::align_val_t);
using DeleteAlignedSized = void(void*, size_t, std::align_val_t);
using DeleteNothrow = void(void*, const std::nothrow_t&);
using DeleteAlignedNothrow = void(void*, std::align_val_t, const std::nothrow_t&);

size_t Positive(size_t bytes) noexcept { return bytes == 0 ? 1 : bytes; }

// Out of memory, or a foreign operator: asks the one behind us.  Not noexcept: std::bad_alloc
// passes through here.
template <typename Function, typename... Args>
HG_COLD void* AskNext(const char* mangled, Args... args) {
  Function* const next = Operator<Function>(mangled);
  if (next == nullptr) __builtin_trap();  // a C++ program without a C++ library
  return next(args...);
}

template <typename Function, typename... Args>
HG_COLD void TellNext(const char* mangled, Args... args) {
  Function* const next = Operator<Function>(mangled);
  if (next == nullptr) __builtin_trap();
  next(args...);
}

// The slow half of an operator new: a function of its own, reached by a jump, so that the hook has
// no frame when the stack is walked.
template <typename Function, typename... Tag>
HG_COLD void* SampledNew(const char* mangled, size_t bytes, void* caller, Tag... tag) {
  void* const block = SampledMalloc(bytes, caller);
  return HG_LIKELY(block != nullptr) ? block : AskNext<Function>(mangled, bytes, tag...);
}

template <typename Function, typename... Tag>
HG_COLD void* SampledNewAligned(const char* mangled, size_t bytes, std::align_val_t align,
                                void* caller, Tag... tag) {
  void* const block = SampledMemalign(static_cast<size_t>(align), Positive(bytes), caller);
  return HG_LIKELY(block != nullptr) ? block : AskNext<Function>(mangled, bytes, align, tag...);
}

HG_ALWAYS_INLINE void Release(void* block) noexcept {
  if (MayBeSampled(block)) return FreeSlow(block);
  g_hot.free(block);
}

HG_ALWAYS_INLINE bool Foreign() noexcept { return HG_UNLIKELY(g_next.foreign_new); }

}  // namespace

void heapgauge::RememberCxxLibrary() noexcept { g_cxx_library = FindCxxLibrary(); }

HG_EXPORT void* operator new(size_t bytes) {
  if (Foreign()) return AskNext<New>("_Znwm", bytes);
  if (ThisThread().sampler.Crosses(bytes)) return SampledNew<New>("_Znwm", bytes, HG_CALLER);
  void* const block = g_hot.malloc(bytes);
  return HG_LIKELY(block != nullptr) ? block : AskNext<New>("_Znwm", bytes);
}

HG_EXPORT void* operator new(size_t bytes, const std::nothrow_t& tag) noexcept {
  if (Foreign()) return AskNext<NewNothrow>("_ZnwmRKSt9nothrow_t", bytes, tag);
  if (ThisThread().sampler.Crosses(bytes))
    return SampledNew<NewNothrow>("_ZnwmRKSt9nothrow_t", bytes, HG_CALLER, tag);
  void* const block = g_hot.malloc(bytes);
  return HG_LIKELY(block != nullptr) ? block
                                     : AskNext<NewNothrow>("_ZnwmRKSt9nothrow_t", bytes, tag);
}

HG_EXPORT void* operator new(size_t bytes, std::align_val_t align) {
  if (Foreign()) return AskNext<NewAligned>("_ZnwmSt11align_val_t", bytes, align);
  if (ThisThread().sampler.Crosses(bytes)) {
    return SampledNewAligned<NewAligned>("_ZnwmSt11align_val_t", bytes, align, HG_CALLER);
  }
  void* const block = g_next.memalign(static_cast<size_t>(align), Positive(bytes));
  return HG_LIKELY(block != nullptr) ? block
                                     : AskNext<NewAligned>("_ZnwmSt11align_val_t", bytes, align);
}

HG_EXPORT void* operator new(size_t bytes, std::align_val_t align,
                             const std::nothrow_t& tag) noexcept {
  if (Foreign())
    return AskNext<NewAlignedNothrow>("_ZnwmSt11align_val_tRKSt9nothrow_t", bytes, align, tag);
  if (ThisThread().sampler.Crosses(bytes)) {
    return SampledNewAligned<NewAlignedNothrow>("_ZnwmSt11align_val_tRKSt9nothrow_t", bytes, align,
                                                HG_CALLER, tag);
  }
  void* const block = g_next.memalign(static_cast<size_t>(align), Positive(bytes));
  return HG_LIKELY(block != nullptr)
             ? block
             : AskNext<NewAlignedNothrow>("_ZnwmSt11align_val_tRKSt9nothrow_t", bytes, align, tag);
}

HG_EXPORT void* operator new[](size_t bytes) {
  if (Foreign()) return AskNext<New>("_Znam", bytes);
  if (ThisThread().sampler.Crosses(bytes)) return SampledNew<New>("_Znam", bytes, HG_CALLER);
  void* const block = g_hot.malloc(bytes);
  return HG_LIKELY(block != nullptr) ? block : AskNext<New>("_Znam", bytes);
}

HG_EXPORT void* operator new[](size_t bytes, const std::nothrow_t& tag) noexcept {
  if (Foreign()) return AskNext<NewNothrow>("_ZnamRKSt9nothrow_t", bytes, tag);
  if (ThisThread().sampler.Crosses(bytes))
    return SampledNew<NewNothrow>("_ZnamRKSt9nothrow_t", bytes, HG_CALLER, tag);
  void* const block = g_hot.malloc(bytes);
  return HG_LIKELY(block != nullptr) ? block
                                     : AskNext<NewNothrow>("_ZnamRKSt9nothrow_t", bytes, tag);
}

HG_EXPORT void* operator new[](size_t bytes, std::align_val_t align) {
  if (Foreign()) return AskNext<NewAligned>("_ZnamSt11align_val_t", bytes, align);
  if (ThisThread().sampler.Crosses(bytes)) {
    return SampledNewAligned<NewAligned>("_ZnamSt11align_val_t", bytes, align, HG_CALLER);
  }
  void* const block = g_next.memalign(static_cast<size_t>(align), Positive(bytes));
  return HG_LIKELY(block != nullptr) ? block
                                     : AskNext<NewAligned>("_ZnamSt11align_val_t", bytes, align);
}

HG_EXPORT void* operator new[](size_t bytes, std::align_val_t align,
                               const std::nothrow_t& tag) noexcept {
  if (Foreign())
    return AskNext<NewAlignedNothrow>("_ZnamSt11align_val_tRKSt9nothrow_t", bytes, align, tag);
  if (ThisThread().sampler.Crosses(bytes)) {
    return SampledNewAligned<NewAlignedNothrow>("_ZnamSt11align_val_tRKSt9nothrow_t", bytes, align,
                                                HG_CALLER, tag);
  }
  void* const block = g_next.memalign(static_cast<size_t>(align), Positive(bytes));
  return HG_LIKELY(block != nullptr)
             ? block
             : AskNext<NewAlignedNothrow>("_ZnamSt11align_val_tRKSt9nothrow_t", bytes, align, tag);
}

HG_EXPORT void operator delete(void* block) noexcept {
  if (Foreign()) return TellNext<Delete>("_ZdlPv", block);
  Release(block);
}

HG_EXPORT void operator delete[](void* block) noexcept {
  if (Foreign()) return TellNext<Delete>("_ZdaPv", block);
  Release(block);
}

HG_EXPORT void operator delete(void* block, size_t bytes) noexcept {
  if (Foreign()) return TellNext<DeleteSized>("_ZdlPvm", block, bytes);
  Release(block);
}

HG_EXPORT void operator delete[](void* block, size_t bytes) noexcept {
  if (Foreign()) return TellNext<DeleteSized>("_ZdaPvm", block, bytes);
  Release(block);
}

HG_EXPORT void operator delete(void* block, const std::nothrow_t& tag) noexcept {
  if (Foreign()) return TellNext<DeleteNothrow>("_ZdlPvRKSt9nothrow_t", block, tag);
  Release(block);
}

HG_EXPORT void operator delete[](void* block, const std::nothrow_t& tag) noexcept {
  if (Foreign()) return TellNext<DeleteNothrow>("_ZdaPvRKSt9nothrow_t", block, tag);
  Release(block);
}

HG_EXPORT void operator delete(void* block, std::align_val_t align) noexcept {
  if (Foreign()) return TellNext<DeleteAligned>("_ZdlPvSt11align_val_t", block, align);
  Release(block);
}

HG_EXPORT void operator delete[](void* block, std::align_val_t align) noexcept {
  if (Foreign()) return TellNext<DeleteAligned>("_ZdaPvSt11align_val_t", block, align);
  Release(block);
}

HG_EXPORT void operator delete(void* block, size_t bytes, std::align_val_t align) noexcept {
  if (Foreign()) return TellNext<DeleteAlignedSized>("_ZdlPvmSt11align_val_t", block, bytes, align);
  Release(block);
}

HG_EXPORT void operator delete[](void* block, size_t bytes, std::align_val_t align) noexcept {
  if (Foreign()) return TellNext<DeleteAlignedSized>("_ZdaPvmSt11align_val_t", block, bytes, align);
  Release(block);
}

HG_EXPORT void operator delete(void* block, std::align_val_t align,
                               const std::nothrow_t& tag) noexcept {
  if (Foreign())
    return TellNext<DeleteAlignedNothrow>("_ZdlPvSt11align_val_tRKSt9nothrow_t", block, align, tag);
  Release(block);
}

HG_EXPORT void operator delete[](void* block, std::align_val_t align,
                                 const std::nothrow_t& tag) noexcept {
  if (Foreign())
    return TellNext<DeleteAlignedNothrow>("_ZdaPvSt11align_val_tRKSt9nothrow_t", block, align, tag);
  Release(block);
}
