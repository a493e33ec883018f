// operator new and delete, all forms, on the next allocator's malloc and free.
//
// The C++ library's own would call our malloc: the same blocks, one jump more, and one wrapper
// frame in each stack. They are still asked when memory runs out, for the new_handler loop and
// std::bad_alloc are theirs.  Where the program has replaced some of the forms, others are handed
// on (operator_forms.h).
#include <dlfcn.h>

#include <cstddef>
#include <cstdint>
#include <new>

#include "shim/entry_points.h"
#include "shim/next_allocator.h"
#include "shim/operator_forms.h"
#include "shim/sampled_paths.h"
#include "shim/thread_state.h"

using namespace heapgauge;  // NOLINT: the hooks themselves live outside any namespace

#define HG_CALLER __builtin_return_address(0)

namespace {

// Found before it is needed: an operator new that fails has no memory left for a dlopen.
void* g_cxx_library = nullptr;

// In a C host the C++ library arrives with a plugin, out of reach of RTLD_NEXT, but under a name
// that is always the same.
void* FindCxxLibrary() noexcept {
  void* const library = dlopen("libstdc++.so.6", RTLD_LAZY | RTLD_NOLOAD);
  return library != nullptr ? library : dlopen("libc++.so.1", RTLD_LAZY | RTLD_NOLOAD);
}

// The definition of an operator that would have been called without us.
template <typename Function>
Function* Operator(OperatorForm form) noexcept {
  void* symbol = NextSymbol(kOperatorNames[form]);
  if (symbol == nullptr) {
    if (g_cxx_library == nullptr) g_cxx_library = FindCxxLibrary();
    if (g_cxx_library != nullptr) symbol = dlsym(g_cxx_library, kOperatorNames[form]);
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

// Out of memory: asks the one behind us.  Not noexcept: std::bad_alloc passes through here.
template <OperatorForm form, typename Function, typename... Args>
HG_COLD void* AskNext(Args... args) {
  Function* const next = Operator<Function>(form);
  if (next == nullptr) __builtin_trap();  // a C++ program without a C++ library
  return next(args...);
}

// The slow half of an operator new: a function of its own, reached by a jump, so that the hook has
// no frame when the stack is walked.
template <OperatorForm form, typename Function, typename... Tag>
HG_COLD void* SampledNew(size_t bytes, void* caller, Tag... tag) {
  void* const block = SampledMalloc(bytes, caller);
  return HG_LIKELY(block != nullptr) ? block : AskNext<form, Function>(bytes, tag...);
}

template <OperatorForm form, typename Function, typename... Tag>
HG_COLD void* SampledNewAligned(size_t bytes, std::align_val_t align, void* caller, Tag... tag) {
  void* const block = SampledAlignedNew(static_cast<size_t>(align), bytes, caller);
  return HG_LIKELY(block != nullptr) ? block : AskNext<form, Function>(bytes, align, tag...);
}

// Inlined, so HG_CALLER is the hook's.
template <OperatorForm form, typename Function, typename... Tag>
HG_ALWAYS_INLINE void* Allocate(size_t bytes, Tag... tag) {
  if (ThisThread().sampler.Crosses(bytes))
    return SampledNew<form, Function>(bytes, HG_CALLER, tag...);
  void* const block = g_hot.malloc(bytes);
  return HG_LIKELY(block != nullptr) ? block : AskNext<form, Function>(bytes, tag...);
}

template <OperatorForm form, typename Function, typename... Tag>
HG_ALWAYS_INLINE void* AllocateAligned(size_t bytes, std::align_val_t align, Tag... tag) {
  if (ThisThread().sampler.Crosses(bytes)) {
    return SampledNewAligned<form, Function>(bytes, align, HG_CALLER, tag...);
  }
  void* const block = g_next.memalign(static_cast<size_t>(align), bytes == 0 ? 1 : bytes);
  return HG_LIKELY(block != nullptr) ? block : AskNext<form, Function>(bytes, align, tag...);
}

HG_ALWAYS_INLINE void Release(void* block) noexcept {
  if (MayBeSampled(block)) return FreeSlow(block);
  g_hot.free(block);
}

HG_ALWAYS_INLINE bool IsHandedOn(OperatorForm form) noexcept {
  return HG_UNLIKELY(g_handed_on[form] != nullptr);
}

template <OperatorForm form, typename Function, typename... Args>
HG_COLD auto HandOn(Args... args) {
  return reinterpret_cast<Function*>(g_handed_on[form])(args...);
}

// The table's first entries: a constructor may call an operator before anybody has called malloc.
template <OperatorForm form, typename Function>
struct Early;
template <OperatorForm form, typename Result, typename... Args>
struct Early<form, Result(Args...)> {
  static Result Call(Args... args) {
    ResolveOperators();
    // By its address, for it is that very hook.
    return reinterpret_cast<Result (*)(Args...)>(FindEntryPoint(kOperatorNames[form])->hook)(
        args...);
  }
};

}  // namespace

#define HG_EARLY(form, function) reinterpret_cast<void*>(&Early<form, function>::Call)
void* heapgauge::g_handed_on[] = {
    HG_EARLY(kNew, New),
    HG_EARLY(kNewNothrow, NewNothrow),
    HG_EARLY(kNewArray, New),
    HG_EARLY(kNewArrayNothrow, NewNothrow),
    HG_EARLY(kNewAligned, NewAligned),
    HG_EARLY(kNewAlignedNothrow, NewAlignedNothrow),
    HG_EARLY(kNewArrayAligned, NewAligned),
    HG_EARLY(kNewArrayAlignedNothrow, NewAlignedNothrow),
    HG_EARLY(kDelete, Delete),
    HG_EARLY(kDeleteSized, DeleteSized),
    HG_EARLY(kDeleteNothrow, DeleteNothrow),
    HG_EARLY(kDeleteArray, Delete),
    HG_EARLY(kDeleteArraySized, DeleteSized),
    HG_EARLY(kDeleteArrayNothrow, DeleteNothrow),
    HG_EARLY(kDeleteAligned, DeleteAligned),
    HG_EARLY(kDeleteAlignedSized, DeleteAlignedSized),
    HG_EARLY(kDeleteAlignedNothrow, DeleteAlignedNothrow),
    HG_EARLY(kDeleteArrayAligned, DeleteAligned),
    HG_EARLY(kDeleteArrayAlignedSized, DeleteAlignedSized),
    HG_EARLY(kDeleteArrayAlignedNothrow, DeleteAlignedNothrow),
};

void heapgauge::RememberCxxLibrary() noexcept { g_cxx_library = FindCxxLibrary(); }

HG_EXPORT void* operator new(size_t bytes) {
  if (IsHandedOn(kNew)) return HandOn<kNew, New>(bytes);
  return Allocate<kNew, New>(bytes);
}

HG_EXPORT void* operator new(size_t bytes, const std::nothrow_t& tag) noexcept {
  if (IsHandedOn(kNewNothrow)) return HandOn<kNewNothrow, NewNothrow>(bytes, tag);
  return Allocate<kNewNothrow, NewNothrow>(bytes, tag);
}

HG_EXPORT void* operator new[](size_t bytes) {
  if (IsHandedOn(kNewArray)) return HandOn<kNewArray, New>(bytes);
  return Allocate<kNewArray, New>(bytes);
}

HG_EXPORT void* operator new[](size_t bytes, const std::nothrow_t& tag) noexcept {
  if (IsHandedOn(kNewArrayNothrow)) return HandOn<kNewArrayNothrow, NewNothrow>(bytes, tag);
  return Allocate<kNewArrayNothrow, NewNothrow>(bytes, tag);
}

HG_EXPORT void* operator new(size_t bytes, std::align_val_t align) {
  if (IsHandedOn(kNewAligned)) return HandOn<kNewAligned, NewAligned>(bytes, align);
  return AllocateAligned<kNewAligned, NewAligned>(bytes, align);
}

HG_EXPORT void* operator new(size_t bytes, std::align_val_t align,
                             const std::nothrow_t& tag) noexcept {
  if (IsHandedOn(kNewAlignedNothrow))
    return HandOn<kNewAlignedNothrow, NewAlignedNothrow>(bytes, align, tag);
  return AllocateAligned<kNewAlignedNothrow, NewAlignedNothrow>(bytes, align, tag);
}

HG_EXPORT void* operator new[](size_t bytes, std::align_val_t align) {
  if (IsHandedOn(kNewArrayAligned)) return HandOn<kNewArrayAligned, NewAligned>(bytes, align);
  return AllocateAligned<kNewArrayAligned, NewAligned>(bytes, align);
}

HG_EXPORT void* operator new[](size_t bytes, std::align_val_t align,
                               const std::nothrow_t& tag) noexcept {
  if (IsHandedOn(kNewArrayAlignedNothrow))
    return HandOn<kNewArrayAlignedNothrow, NewAlignedNothrow>(bytes, align, tag);
  return AllocateAligned<kNewArrayAlignedNothrow, NewAlignedNothrow>(bytes, align, tag);
}

HG_EXPORT void operator delete(void* block) noexcept {
  if (IsHandedOn(kDelete)) return HandOn<kDelete, Delete>(block);
  Release(block);
}

HG_EXPORT void operator delete(void* block, size_t bytes) noexcept {
  if (IsHandedOn(kDeleteSized)) return HandOn<kDeleteSized, DeleteSized>(block, bytes);
  Release(block);
}

HG_EXPORT void operator delete(void* block, const std::nothrow_t& tag) noexcept {
  if (IsHandedOn(kDeleteNothrow)) return HandOn<kDeleteNothrow, DeleteNothrow>(block, tag);
  Release(block);
}

HG_EXPORT void operator delete[](void* block) noexcept {
  if (IsHandedOn(kDeleteArray)) return HandOn<kDeleteArray, Delete>(block);
  Release(block);
}

HG_EXPORT void operator delete[](void* block, size_t bytes) noexcept {
  if (IsHandedOn(kDeleteArraySized)) return HandOn<kDeleteArraySized, DeleteSized>(block, bytes);
  Release(block);
}

HG_EXPORT void operator delete[](void* block, const std::nothrow_t& tag) noexcept {
  if (IsHandedOn(kDeleteArrayNothrow))
    return HandOn<kDeleteArrayNothrow, DeleteNothrow>(block, tag);
  Release(block);
}

HG_EXPORT void operator delete(void* block, std::align_val_t align) noexcept {
  if (IsHandedOn(kDeleteAligned)) return HandOn<kDeleteAligned, DeleteAligned>(block, align);
  Release(block);
}

HG_EXPORT void operator delete(void* block, size_t bytes, std::align_val_t align) noexcept {
  if (IsHandedOn(kDeleteAlignedSized))
    return HandOn<kDeleteAlignedSized, DeleteAlignedSized>(block, bytes, align);
  Release(block);
}

HG_EXPORT void operator delete(void* block, std::align_val_t align,
                               const std::nothrow_t& tag) noexcept {
  if (IsHandedOn(kDeleteAlignedNothrow))
    return HandOn<kDeleteAlignedNothrow, DeleteAlignedNothrow>(block, align, tag);
  Release(block);
}

HG_EXPORT void operator delete[](void* block, std::align_val_t align) noexcept {
  if (IsHandedOn(kDeleteArrayAligned))
    return HandOn<kDeleteArrayAligned, DeleteAligned>(block, align);
  Release(block);
}

HG_EXPORT void operator delete[](void* block, size_t bytes, std::align_val_t align) noexcept {
  if (IsHandedOn(kDeleteArrayAlignedSized))
    return HandOn<kDeleteArrayAlignedSized, DeleteAlignedSized>(block, bytes, align);
  Release(block);
}

HG_EXPORT void operator delete[](void* block, std::align_val_t align,
                                 const std::nothrow_t& tag) noexcept {
  if (IsHandedOn(kDeleteArrayAlignedNothrow))
    return HandOn<kDeleteArrayAlignedNothrow, DeleteAlignedNothrow>(block, align, tag);
  Release(block);
}
