// Does a text match a glob?  `*` any bytes, `?` any one, `[a-z]`, `[!a-z]`, and `\` before any of
// these for itself.  A bracket that is never closed stands for itself.
//
// Not the C library's fnmatch(): its time is exponential in the number of stars, and it asks the
// program's locale.
#ifndef HEAPGAUGE_BASE_GLOB_H_
#define HEAPGAUGE_BASE_GLOB_H_

namespace heapgauge {

// What stands after the bracket at `set`, and whether `byte` is in it; nullptr: it is not closed.
constexpr const char* BracketEnd(const char* set, char byte, bool* holds) noexcept {
  const char* at = set + 1;
  const bool negated = *at == '!' || *at == '^';
  if (negated) ++at;
  bool found = false;
  for (const char* const first = at; *at != ']' || at == first; ++at) {
    if (*at == '\\' && at[1] != '\0') ++at;
    if (*at == '\0') return nullptr;
    auto low = static_cast<unsigned char>(*at);
    auto high = low;
    if (at[1] == '-' && at[2] != ']' && at[2] != '\0') {
      at += 2;
      if (*at == '\\' && at[1] != '\0') ++at;
      high = static_cast<unsigned char>(*at);
    }
    const auto value = static_cast<unsigned char>(byte);
    found = found || (low <= value && value <= high);
  }
  *holds = found != negated;
  return at + 1;
}

// What stands after the piece of the glob that takes one byte, if it takes this one; else nullptr.
constexpr const char* TakeByte(const char* glob, char byte) noexcept {
  if (*glob == '?') return glob + 1;
  if (*glob == '[') {
    bool holds = false;
    if (const char* const end = BracketEnd(glob, byte, &holds)) return holds ? end : nullptr;
  }
  if (*glob == '\\' && glob[1] != '\0') ++glob;
  return *glob == byte && *glob != '\0' ? glob + 1 : nullptr;
}

constexpr bool GlobMatches(const char* glob, const char* text) noexcept {
  const char* after_star = nullptr;  // the newest star is the only one that may take more
  const char* taken = nullptr;
  while (*text != '\0') {
    if (*glob == '*') {
      after_star = ++glob;
      taken = text;
    } else if (const char* const next = TakeByte(glob, *text)) {
      glob = next;
      ++text;
    } else if (after_star != nullptr) {
      glob = after_star;
      text = ++taken;
    } else {
      return false;
    }
  }
  while (*glob == '*') ++glob;
  return *glob == '\0';
}

}  // namespace heapgauge

#endif  // HEAPGAUGE_BASE_GLOB_H_
