// A W3C baggage header, and our member in it: "heapgauge-path=1:gateway/auth".
//
// What comes in is hostile: no more than kMostBaggageBytes and kMostMembers of it are looked at.
// Pure, no allocation.
#ifndef HEAPGAUGE_LABELS_BAGGAGE_H_
#define HEAPGAUGE_LABELS_BAGGAGE_H_

#include <cstddef>
#include <string_view>

#include "labels/call_path.h"

namespace heapgauge {

// The limits of the W3C's text, for a header and for one member.
inline constexpr size_t kMostBaggageBytes = 8192;
inline constexpr size_t kMostMembers = 180;
inline constexpr size_t kMostMemberBytes = 4096;

inline constexpr std::string_view kPathKey = "heapgauge-path";
inline constexpr std::string_view kPathVersion = "1:";

// The path that a header carries, as it was written, percent escapes undone.  Empty: there is none,
// or it is damaged, or of another version.
void FindPath(std::string_view baggage, PathText* path) noexcept;

// Our member with this path.
using PathMember = FixedText<kMostPathBytes + 32>;
PathMember MakeMember(std::string_view path) noexcept;

// `baggage` with `member` in place of what it had of ours, the others untouched.  How many bytes
// that takes; more than `room`: nothing was written.  Where the limits leave no room for ours, the
// others are kept without it.
size_t MergeMember(std::string_view baggage, std::string_view member, char* out,
                   size_t room) noexcept;

}  // namespace heapgauge

#endif  // HEAPGAUGE_LABELS_BAGGAGE_H_
