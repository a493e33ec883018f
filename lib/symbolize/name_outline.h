// What is left of a demangled C++ name when all template arguments and parameters go:
// "std::vector<...>::emplace_back<...>(...)".
#ifndef HEAPGAUGE_SYMBOLIZE_NAME_OUTLINE_H_
#define HEAPGAUGE_SYMBOLIZE_NAME_OUTLINE_H_

#include <cstddef>
#include <string_view>

namespace heapgauge::symbolize {

// Takes the name a character at a time, as demanglers say it.  No destructor: it may be left by
// longjmp().
class NameOutline final {
 public:
  void Take(char c);

  // Nothing where the brackets don't match, or where even this is too long.
  std::string_view Get() const;

 private:
  static constexpr size_t kRoom = 1024;
  static constexpr size_t kDeepest = 256;
  // Enough to see "anonymous namespace", which is no list.
  static constexpr size_t kSeenOfGroup = 24;
  static constexpr size_t kSeenBefore = 16;

  bool IsOperatorSign(char c) const;
  void Append(char c);
  void Open(char c);
  void Close(char c);

  char text_[kRoom];
  size_t used_ = 0;
  char open_[kDeepest];
  size_t depth_ = 0;
  size_t group_at_ = 0;            // where the outermost open group begins
  char before_[kSeenBefore] = {};  // the last characters, newest last
  bool failed_ = false;
};

}  // namespace heapgauge::symbolize

#endif  // HEAPGAUGE_SYMBOLIZE_NAME_OUTLINE_H_
