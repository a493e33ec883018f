// Every entry point that can be redirected: its name, our hook, and what it leads to without us.
#ifndef HEAPGAUGE_SHIM_ENTRY_POINTS_H_
#define HEAPGAUGE_SHIM_ENTRY_POINTS_H_

#include <cstddef>
#include <cstdint>

#include "base/macros.h"

namespace heapgauge {

struct EntryPoint {
  const char* name;  // as symbol tables have it
  uintptr_t hook;
  bool is_operator;            // new or delete
  uintptr_t original;          // 0: an entry that leads elsewhere than to the hook is left alone
  uintptr_t stub;              // the program's own, from which its table leads on; 0: it has none
  bool is_other_name = false;  // other_names.h
  bool tells_sizes = false;    // there, N3
  bool is_heap = true;  // false: a call that we are in front of for another reason (id_hooks.h)
};

// Of two names, neither of them empty.  Nearly all differ in their second letter at the latest.
HG_ALWAYS_INLINE bool IsSameName(const char* one, const char* other) noexcept {
  return one[0] == other[0] && one[1] == other[1] && __builtin_strcmp(one, other) == 0;
}

// First letters of names: small ones and '_'.  Asked for every symbol that a module refers to.
class FirstLetters final {
 public:
  explicit constexpr FirstLetters(const char* letters) noexcept {
    for (; *letters != '\0'; ++letters) set_ |= uint32_t{1} << (*letters - '_');
  }
  // No name begins with its end.
  HG_ALWAYS_INLINE bool Hold(char letter) const noexcept {
    const unsigned at = static_cast<unsigned char>(letter) - unsigned{'_'};
    return at < 32 && (set_ >> at & 1) != 0;
  }

 private:
  uint32_t set_ = 0;
};

// All of them.  Written once, by LookUp() of next_allocator.cc.
HG_HIDDEN EntryPoint* EntryPoints(size_t* count) noexcept;

// The one of that name, or nullptr.
HG_HIDDEN const EntryPoint* FindEntryPoint(const char* name) noexcept;

}  // namespace heapgauge

#endif  // HEAPGAUGE_SHIM_ENTRY_POINTS_H_
