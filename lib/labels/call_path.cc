#include "labels/call_path.h"

#include <algorithm>

namespace heapgauge {
namespace {

constexpr char kHex[] = "0123456789abcdef";

bool IsPlain(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '_' || c == '-';
}

int LowerHexDigit(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool IsName(std::string_view name) noexcept {
  if (name.empty() || name.size() > kMostNameBytes) return false;
  for (size_t i = 0; i < name.size(); ++i) {
    if (IsPlain(name[i])) continue;
    if (name[i] != '~' || i + 2 >= name.size() || LowerHexDigit(name[i + 1]) < 0 ||
        LowerHexDigit(name[i + 2]) < 0) {
      return false;
    }
    i += 2;
  }
  return true;
}

}  // namespace

ServiceName EscapeName(std::string_view name) noexcept {
  ServiceName escaped;
  for (const char c : name) {
    if (IsPlain(c)) {
      if (!escaped.Add(c)) break;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    const char text[] = {'~', kHex[byte >> 4], kHex[byte & 15]};
    if (!escaped.Add(std::string_view(text, sizeof text))) break;
  }
  if (escaped.empty()) escaped.Add("unnamed");
  return escaped;
}

FixedText<kMostNameBytes> UnescapeName(std::string_view name) noexcept {
  FixedText<kMostNameBytes> plain;
  for (size_t i = 0; i < name.size(); ++i) {
    const int high = name[i] == '~' && i + 2 < name.size() ? LowerHexDigit(name[i + 1]) : -1;
    const int low = high >= 0 ? LowerHexDigit(name[i + 2]) : -1;
    if (low < 0) {
      plain.Add(name[i]);
      continue;
    }
    plain.Add(static_cast<char>(high * 16 + low));
    i += 2;
  }
  return plain;
}

bool CallPath::Read(std::string_view text) noexcept {
  size_ = 0;
  while (true) {
    const size_t slash = text.find('/');
    const std::string_view name = text.substr(0, slash);
    if (!IsName(name)) {
      size_ = 0;
      return false;
    }
    Append(name);
    if (slash == std::string_view::npos) return true;
    text.remove_prefix(slash + 1);
  }
}

void CallPath::Append(std::string_view name) noexcept {
  if (size_ == names_.size()) {
    std::move(names_.begin() + 1, names_.end(), names_.begin());
    --size_;
  }
  names_[size_++] = name;
}

size_t CallPath::Count(std::string_view name) const noexcept {
  return static_cast<size_t>(
      std::count(names_.begin(), names_.begin() + static_cast<std::ptrdiff_t>(size_), name));
}

void CallPath::Write(PathText* to) const noexcept {
  to->clear();
  size_t first = size_;
  size_t bytes = 0;
  while (first > 0 && size_ - first < kMostPathNames &&
         bytes + names_[first - 1].size() + 1 <= kMostPathBytes) {
    bytes += names_[--first].size() + 1;
  }
  for (size_t i = first; i < size_; ++i) {
    if (i > first) to->Add('/');
    to->Add(names_[i]);
  }
}

CallPath::Turn CallPath::LastTurn() const noexcept {
  if (size_ < 3) return {};
  const std::string_view from = names_[size_ - 2];
  const std::string_view to = names_[size_ - 1];
  if (from == to) return {};
  for (size_t i = size_ - 2; i > 0; --i) {
    if (names_[i - 1] == from && names_[i] == to) return {true, i};
  }
  return {};
}

}  // namespace heapgauge
