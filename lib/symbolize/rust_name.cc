#include "symbolize/rust_name.h"

#include <algorithm>
#include <cctype>
#include <utility>
#include <vector>

namespace heapgauge::symbolize {
namespace {

using std::string_view;

constexpr size_t kHashDigits = 16;

bool IsHash(string_view part) {
  return part.size() == kHashDigits + 1 && part[0] == 'h' &&
         part.find_first_not_of("0123456789abcdef", 1) == string_view::npos;
}

// The parts of "_ZN...E"; nothing where it has another form.  Compilers add ".llvm.123".
std::optional<std::vector<string_view>> PartsOf(string_view name) {
  if (!name.starts_with("_ZN")) return std::nullopt;
  std::vector<string_view> parts;
  for (size_t at = 3; at < name.size();) {
    if (name[at] == 'E') {
      const bool ends = at + 1 == name.size() || name[at + 1] == '.';
      return ends ? std::optional(std::move(parts)) : std::nullopt;
    }
    size_t length = 0;
    const size_t digits = at;
    while (at < name.size() && std::isdigit(static_cast<unsigned char>(name[at])) != 0) {
      length = length * 10 + static_cast<size_t>(name[at++] - '0');
      if (length > name.size()) return std::nullopt;
    }
    if (at == digits || length == 0 || length > name.size() - at) return std::nullopt;
    parts.push_back(name.substr(at, length));
    at += length;
  }
  return std::nullopt;
}

// The character that the text between two $ stands for, as UTF-8; "" where it is none.
std::string Escaped(string_view code) {
  constexpr std::pair<string_view, string_view> kCodes[] = {{"SP", "@"}, {"BP", "*"}, {"RF", "&"},
                                                            {"LT", "<"}, {"GT", ">"}, {"LP", "("},
                                                            {"RP", ")"}, {"C", ","}};
  for (const auto& [known, text] : kCodes) {
    if (code == known) return std::string(text);
  }
  if (code.size() < 2 || code.size() > 7 || code[0] != 'u') return {};
  uint32_t value = 0;
  for (const char c : code.substr(1)) {
    const bool digit = c >= '0' && c <= '9';
    if (!digit && (c < 'a' || c > 'f')) return {};
    value = value * 16 + static_cast<uint32_t>(digit ? c - '0' : c - 'a' + 10);
  }
  if (value < 0x20 || value == 0x7F || value > 0x10FFFF || (value >= 0xD800 && value < 0xE000))
    return {};
  if (value < 0x80) return {static_cast<char>(value)};
  std::string bytes;
  const int more = value < 0x800 ? 1 : value < 0x10000 ? 2 : 3;
  constexpr uint32_t kLead[] = {0, 0xC0, 0xE0, 0xF0};
  bytes += static_cast<char>(kLead[more] | (value >> (6 * more)));
  for (int i = more - 1; i >= 0; --i) {
    bytes += static_cast<char>(0x80 | ((value >> (6 * i)) & 0x3F));
  }
  return bytes;
}

void AppendPart(std::string& text, string_view part) {
  if (part.starts_with("_$")) part.remove_prefix(1);  // it keeps the part from starting with a $
  for (size_t i = 0; i < part.size();) {
    if (part.substr(i).starts_with("..")) {
      text += "::";
      i += 2;
      continue;
    }
    if (part[i] == '$') {
      const size_t end = part.find('$', i + 1);
      const std::string escaped =
          end == string_view::npos ? std::string() : Escaped(part.substr(i + 1, end - i - 1));
      if (!escaped.empty()) {
        text += escaped;
        i = end + 1;
        continue;
      }
    }
    text += part[i++];
  }
}

}  // namespace

std::optional<std::string> RustLegacyName(string_view name) {
  const auto parts = PartsOf(name);
  if (!parts || parts->size() < 2 || !IsHash(parts->back())) return std::nullopt;
  std::string text;
  for (size_t i = 0; i + 1 < parts->size(); ++i) {
    if (i > 0) text += "::";
    AppendPart(text, (*parts)[i]);
  }
  return text;
}

bool IsRustV0(string_view name) {
  return name.size() > 3 && name.starts_with("_R") &&
         string_view("NMXYIC").find(name[2]) != string_view::npos;
}

}  // namespace heapgauge::symbolize
