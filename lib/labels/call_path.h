// The services that a request has passed, first to last: "gateway/auth/session".
//
// As a text it is what travels in the baggage member and what is interned.  Names are written with
// letters, digits, '.', '_' and '-' alone, other bytes as '~' and two hex digits: the text stays the
// same whatever a library between two services does with percent escapes.
//
// Pure, bounded, no allocation: what comes in is hostile.
#ifndef HEAPGAUGE_LABELS_CALL_PATH_H_
#define HEAPGAUGE_LABELS_CALL_PATH_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace heapgauge {

// A text of bounded size on the stack.
template <size_t kRoom>
class FixedText final {
 public:
  std::string_view view() const noexcept { return {bytes_.data(), size_}; }
  size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }
  void clear() noexcept { size_ = 0; }
  // False, and nothing is changed, where there is no room.
  bool Add(std::string_view text) noexcept {
    if (text.size() > kRoom - size_) return false;
    for (const char c : text) bytes_[size_++] = c;
    return true;
  }
  bool Add(char c) noexcept { return Add(std::string_view(&c, 1)); }

 private:
  std::array<char, kRoom> bytes_;
  size_t size_ = 0;
};

inline constexpr size_t kMostNameBytes = 64;  // as written
inline constexpr size_t kMostPathBytes = 2048;
inline constexpr size_t kMostPathNames = 64;  // of a longer one the last are kept

using ServiceName = FixedText<kMostNameBytes>;
using PathText = FixedText<kMostPathBytes>;

// A service's name as paths have it, cut where it is too long.
ServiceName EscapeName(std::string_view name) noexcept;
// And back, for people.
FixedText<kMostNameBytes> UnescapeName(std::string_view name) noexcept;

class CallPath final {
 public:
  // False: not the text of a path; it is empty then.
  bool Read(std::string_view text) noexcept;
  // One more service; the oldest ones go where there is no room.
  void Append(std::string_view name) noexcept;

  size_t size() const noexcept { return size_; }
  std::string_view operator[](size_t i) const noexcept { return names_[i]; }
  // How often `name` is on it.
  size_t Count(std::string_view name) const noexcept;
  // The text, the oldest names left out where there is no room.
  void Write(PathText* to) const noexcept;

  // The last call on this path was on it before: the request has begun its second turn through the
  // services between, which are then [first, size() - 1).  A service that calls itself again makes
  // no turn, nor does a callback that comes once.
  struct Turn {
    bool seen = false;
    size_t first = 0;
  };
  Turn LastTurn() const noexcept;

 private:
  std::array<std::string_view, kMostPathNames + 1> names_;  // in texts of the caller's
  size_t size_ = 0;
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_LABELS_CALL_PATH_H_
