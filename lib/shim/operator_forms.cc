#include "shim/operator_forms.h"

#include <string.h>

#include "shim/next_allocator.h"

namespace heapgauge {
namespace {

constexpr OperatorForm kFamilies[] = {kNew, kNewAligned, kDelete, kDeleteAligned, kOperatorForms};

bool IsCxxLibrary(const char* path) noexcept {
  return strstr(path, "libstdc++") != nullptr || strstr(path, "libc++") != nullptr;
}

// Neither the C++ library's nor the allocator's.
bool IsSomebodys(void* definition, const void* home) noexcept {
  if (definition == nullptr) return false;
  const void* base = nullptr;
  const char* const module = ModuleOf(definition, &base);
  return base != home && (module == nullptr || !IsCxxLibrary(module));
}

}  // namespace

const char* const kOperatorNames[kOperatorForms] = {"_Znwm",
                                                    "_ZnwmRKSt9nothrow_t",
                                                    "_Znam",
                                                    "_ZnamRKSt9nothrow_t",
                                                    "_ZnwmSt11align_val_t",
                                                    "_ZnwmSt11align_val_tRKSt9nothrow_t",
                                                    "_ZnamSt11align_val_t",
                                                    "_ZnamSt11align_val_tRKSt9nothrow_t",
                                                    "_ZdlPv",
                                                    "_ZdlPvm",
                                                    "_ZdlPvRKSt9nothrow_t",
                                                    "_ZdaPv",
                                                    "_ZdaPvm",
                                                    "_ZdaPvRKSt9nothrow_t",
                                                    "_ZdlPvSt11align_val_t",
                                                    "_ZdlPvmSt11align_val_t",
                                                    "_ZdlPvSt11align_val_tRKSt9nothrow_t",
                                                    "_ZdaPvSt11align_val_t",
                                                    "_ZdaPvmSt11align_val_t",
                                                    "_ZdaPvSt11align_val_tRKSt9nothrow_t"};

void LookUpOperators(const void* home, bool all) noexcept {
  void* next[kOperatorForms];
  // No C++ library in the program's symbol order, a C program: nothing to hand on to, and plugins
  // that come later find ours.
  const bool any = NextSymbol(kOperatorNames[kNew]) != nullptr;
  for (unsigned family = 0; family + 1 < sizeof(kFamilies) / sizeof(kFamilies[0]); ++family) {
    const unsigned begin = kFamilies[family];
    const unsigned end = kFamilies[family + 1];
    bool replaced = all;
    for (unsigned form = begin; any && form < end; ++form) {
      next[form] = NextSymbol(kOperatorNames[form]);
      replaced = replaced || IsSomebodys(next[form], home) ||
                 IsSomebodys(SymbolBefore(kOperatorNames[form]), home);
    }
    for (unsigned form = begin; form < end; ++form) {
      const void* base = nullptr;
      if (any && next[form] != nullptr) ModuleOf(next[form], &base);
      g_handed_on[form] = any && replaced && base != home ? next[form] : nullptr;
    }
  }
}

}  // namespace heapgauge
