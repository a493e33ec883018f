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

// What names begin with: a set of hashes of their first three letters.  Asked for every symbol that
// a module refers to, of which nearly all are refused by it.  Every name in it has three letters.
class NameStarts final {
 public:
  constexpr NameStarts() noexcept = default;
  template <size_t kNames>
  explicit constexpr NameStarts(const char* const (&names)[kNames]) noexcept {
    for (const char* const name : names) Add(name);
  }
  constexpr void Add(const char* name) noexcept {
    const uint32_t start = Of(name);
    set_[start / 64] |= uint64_t{1} << (start % 64);
  }
  static HG_ALWAYS_INLINE constexpr uint32_t Of(const char* name) noexcept {
    uint32_t start = static_cast<unsigned char>(name[0]);
    if (start == 0 || name[1] == '\0') return start;
    start += uint32_t{37} * static_cast<unsigned char>(name[1]);
    return (start + uint32_t{331} * static_cast<unsigned char>(name[2])) % kStarts;
  }
  HG_ALWAYS_INLINE bool Hold(uint32_t start) const noexcept {
    return (set_[start / 64] >> (start % 64) & 1) != 0;
  }

 private:
  static constexpr uint32_t kStarts = 1024;
  uint64_t set_[kStarts / 64] = {};
};

// Of every name that FindEntryPoint() and FindAnyEntryPoint() find.
HG_HIDDEN extern constinit NameStarts g_name_starts;

// All of them.  Written once, by LookUp() of next_allocator.cc.
HG_HIDDEN EntryPoint* EntryPoints(size_t* count) noexcept;

// The one of that name, or nullptr.
HG_HIDDEN const EntryPoint* FindEntryPoint(const char* name) noexcept;

}  // namespace heapgauge

#endif  // HEAPGAUGE_SHIM_ENTRY_POINTS_H_
