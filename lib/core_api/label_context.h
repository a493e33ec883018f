// The labels of a thread: what pushing, popping and carrying them elsewhere does to its state.
//
// A scope is a value in the program's hands, so it may be handed back late, twice, out of order or
// on another thread.  What it restores is checked against the thread's count of open scopes.
//
// G1  A scope that is popped closes all that were opened inside it on its thread.
// G2  A scope of another thread, and one that is closed already, changes nothing.
#ifndef HEAPGAUGE_CORE_API_LABEL_CONTEXT_H_
#define HEAPGAUGE_CORE_API_LABEL_CONTEXT_H_

#include <cstdint>

#include "base/macros.h"
#include "core_api/core_api.h"
#include "heapgauge/heapgauge.h"

namespace heapgauge {

// Where the thread is, for the program to keep: labels, and the services passed.
inline uint64_t ContextBits(const ThreadState& self) noexcept {
  return self.labels | (uint64_t{self.path} << 16);
}

inline constexpr unsigned kScopeBits = 48;  // of an address in user space

// `scopes` stays at its most where a program opens scopes without end: then those are not told
// apart.
HG_ALWAYS_INLINE heapgauge_scope OpenScope(ThreadState& self, uint16_t labels,
                                           uint16_t path) noexcept {
  if (self.scopes != UINT16_MAX) ++self.scopes;
  const heapgauge_scope scope{
      reinterpret_cast<uint64_t>(&self) | (uint64_t{self.scopes} << kScopeBits),
      ContextBits(self) | (uint64_t{labels} << 32) | (uint64_t{path} << 48)};
  self.labels = labels;
  self.path = path;
  return scope;
}

HG_ALWAYS_INLINE void CloseScope(ThreadState& self, heapgauge_scope scope) noexcept {
  constexpr uint64_t kAddress = (uint64_t{1} << kScopeBits) - 1;
  const auto number = static_cast<uint16_t>(scope.opaque[0] >> kScopeBits);
  if ((scope.opaque[0] & kAddress) != reinterpret_cast<uint64_t>(&self) || number == 0 ||
      number > self.scopes) {
    return;
  }
  // Another scope has taken the number of one that was closed with the one around it.
  if (number == self.scopes && (scope.opaque[1] >> 32) != ContextBits(self)) return;
  self.scopes = static_cast<uint16_t>(number - 1);
  self.labels = static_cast<uint16_t>(scope.opaque[1]);
  self.path = static_cast<uint16_t>(scope.opaque[1] >> 16);
}

}  // namespace heapgauge

#endif  // HEAPGAUGE_CORE_API_LABEL_CONTEXT_H_
