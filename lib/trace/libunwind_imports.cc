#include "trace/libunwind_imports.h"

#include <signal.h>

#include <cstdint>
#include <cstring>

#include "base/signal_mask.h"

namespace heapgauge {
namespace {

// Only libunwind's locking asks for the mask before.
int ChangeMask(int how, const sigset_t* set, sigset_t* before) noexcept {
  uint64_t signals = 0;
  if (set != nullptr) std::memcpy(&signals, set, sizeof(signals));
  const bool locks = how == SIG_SETMASK && before != nullptr;
  const uint64_t old = SignalMask::Change(locks || set == nullptr ? SIG_BLOCK : how, signals);
  if (before != nullptr) std::memcpy(before, &old, sizeof(old));
  return 0;
}

}  // namespace

uintptr_t* LibunwindImports::SlotOf(const char* name) const noexcept {
  struct Wanted {
    const char* name;
    uintptr_t* slot;
  } wanted{name, nullptr};
  module_.VisitImports(
      [](const ElfModule::Import& import, void* data) {
        Wanted& it = *static_cast<Wanted*>(data);
        if (it.slot == nullptr && std::strcmp(import.name, it.name) == 0) it.slot = import.slot;
      },
      &wanted);
  return wanted.slot;
}

void LibunwindImports::LeadMaskCalls() const noexcept { Lead("sigprocmask", &ChangeMask); }

}  // namespace heapgauge
