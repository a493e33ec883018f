#include "labels/baggage.h"

#include <cstring>

namespace heapgauge {
namespace {

bool IsSpace(char c) noexcept { return c == ' ' || c == '\t'; }

std::string_view Trimmed(std::string_view text) noexcept {
  while (!text.empty() && IsSpace(text.front())) text.remove_prefix(1);
  while (!text.empty() && IsSpace(text.back())) text.remove_suffix(1);
  return text;
}

int HexDigit(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

// False: not percent-encoded as it should be, or too long.
bool Decode(std::string_view value, PathText* to) noexcept {
  to->clear();
  for (size_t i = 0; i < value.size(); ++i) {
    char c = value[i];
    if (c == '%') {
      const int high = i + 2 < value.size() ? HexDigit(value[i + 1]) : -1;
      const int low = high >= 0 ? HexDigit(value[i + 2]) : -1;
      if (low < 0) return false;
      c = static_cast<char>(high * 16 + low);
      i += 2;
    }
    if (!to->Add(c)) return false;
  }
  return true;
}

// Takes the next member off the front of `rest`.
std::string_view NextMember(std::string_view* rest) noexcept {
  const size_t comma = rest->find(',');
  const std::string_view member = rest->substr(0, comma);
  rest->remove_prefix(comma == std::string_view::npos ? rest->size() : comma + 1);
  return Trimmed(member);
}

bool IsOurs(std::string_view member) noexcept {
  return Trimmed(member.substr(0, member.find('='))) == kPathKey;
}

// Behind "key=", without properties.
std::string_view ValueOf(std::string_view member) noexcept {
  const size_t equals = member.find('=');
  if (equals == std::string_view::npos) return {};
  member.remove_prefix(equals + 1);
  return Trimmed(member.substr(0, member.find(';')));
}

}  // namespace

void FindPath(std::string_view baggage, PathText* path) noexcept {
  path->clear();
  std::string_view rest = baggage.substr(0, kMostBaggageBytes);
  const bool cut = rest.size() < baggage.size();
  for (size_t members = 0; !rest.empty() && members < kMostMembers; ++members) {
    const std::string_view member = NextMember(&rest);
    if (!IsOurs(member)) continue;
    PathText text;
    if ((cut && rest.empty()) || !Decode(ValueOf(member), &text)) return;
    const std::string_view decoded = text.view();
    if (decoded.substr(0, kPathVersion.size()) != kPathVersion) return;
    path->Add(decoded.substr(kPathVersion.size()));
    return;
  }
}

PathMember MakeMember(std::string_view path) noexcept {
  PathMember member;
  member.Add(kPathKey);
  member.Add('=');
  member.Add(kPathVersion);
  if (!member.Add(path)) member.clear();
  return member;
}

size_t MergeMember(std::string_view baggage, std::string_view member, char* out,
                   size_t room) noexcept {
  size_t size = 0;
  size_t members = 0;
  const auto add = [&](std::string_view text) {
    const size_t bytes = text.size() + (size > 0 ? 1 : 0);
    if (size + bytes <= room) {
      if (size > 0) out[size] = ',';
      std::memcpy(out + size + (size > 0 ? 1 : 0), text.data(), text.size());
    }
    size += bytes;
    ++members;
  };
  for (std::string_view rest = baggage; !rest.empty();) {
    const std::string_view foreign = NextMember(&rest);
    if (!foreign.empty() && !IsOurs(foreign)) add(foreign);
  }
  const bool fits = members < kMostMembers && size + 1 + member.size() <= kMostBaggageBytes;
  if (!member.empty() && fits) add(member);
  return size;
}

}  // namespace heapgauge
