#include "symbolize/name_outline.h"

#include <string.h>

namespace heapgauge::symbolize {

// Is `c` part of an operator's own name, and no bracket?  Demanglers part "operator<" from template
// arguments by a space.
bool NameOutline::IsOperatorSign(char c) const {
  const std::string_view before(before_, sizeof before_);
  switch (c) {
    case '<':
      return before.ends_with("operator") || before.ends_with("operator<");
    case '>':
      return before.back() == '-' || before.ends_with("operator") ||
             before.ends_with("operator>") || before.ends_with("operator<=");
    case '(':
      return before.ends_with("operator");
    case ')':
      return before.ends_with("operator(");
    default:
      return false;
  }
}

void NameOutline::Append(char c) {
  if (used_ == sizeof text_) {
    failed_ = true;
    return;
  }
  text_[used_++] = c;
}

void NameOutline::Open(char c) {
  if (depth_ == kDeepest) {
    failed_ = true;
    return;
  }
  if (depth_ == 0) {
    Append(c);
    group_at_ = used_;
  }
  open_[depth_++] = c;
}

void NameOutline::Close(char c) {
  // "(a > b)": no bracket.
  if (c == '>' && (depth_ == 0 || open_[depth_ - 1] != '<')) return;
  if (depth_ == 0 || open_[depth_ - 1] != (c == '>' ? '<' : '(')) {
    failed_ = true;
    return;
  }
  if (--depth_ > 0) return;
  const std::string_view inside(text_ + group_at_, used_ - group_at_);
  if (!inside.empty() && inside != "anonymous namespace") {
    used_ = group_at_;
    for (const char dot : std::string_view("...")) Append(dot);
  }
  Append(c);
}

void NameOutline::Take(char c) {
  if (failed_) return;
  const bool is_bracket = c == '<' || c == '>' || c == '(' || c == ')';
  const size_t was = depth_;
  if (is_bracket && !IsOperatorSign(c)) {
    c == '<' || c == '(' ? Open(c) : Close(c);
    if (was > 0 && depth_ > 0 && used_ - group_at_ < kSeenOfGroup) Append(c);
  } else if (depth_ == 0 || used_ - group_at_ < kSeenOfGroup) {
    Append(c);
  }
  memmove(before_, before_ + 1, sizeof before_ - 1);
  before_[sizeof before_ - 1] = c;
}

std::string_view NameOutline::Get() const {
  return failed_ || depth_ > 0 ? std::string_view() : std::string_view(text_, used_);
}

}  // namespace heapgauge::symbolize
