#include "report/printable.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstdint>
#include <iterator>

namespace heapgauge {
namespace {

struct CodePoint {
  uint32_t value = 0;
  size_t size = 0;  // bytes; 0 = not valid UTF-8 here
};

CodePoint Decode(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char head = byte(0);
  if (head < 0x80) return {head, 1};
  const size_t size = head >= 0xF0 ? 4 : head >= 0xE0 ? 3 : 2;
  if (head < 0xC2 || head > 0xF4 || text.size() < size) return {};
  uint32_t value = head & (0xFFu >> (size + 1));
  for (size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return {};
    value = value << 6 | (byte(i) & 0x3F);
  }
  constexpr uint32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = value >= 0xD800 && value <= 0xDFFF;
  if (value < kSmallest[size] || value > 0x10FFFF || surrogate) return {};
  return {value, size};
}

// Code points that change how the text around them is shown.
bool IsDeceptive(uint32_t c) {
  return c == 0xAD || c == 0x61C || (c >= 0x200B && c <= 0x200F) || (c >= 0x2028 && c <= 0x202E) ||
         (c >= 0x2060 && c <= 0x206F) || c == 0xFEFF || (c >= 0xFFF9 && c <= 0xFFFB) ||
         (c >= 0xE0000 && c <= 0xE0FFF);
}

bool IsContinuation(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

}  // namespace

std::string Printable(std::string_view text) {
  // Nearly every name is this.
  const auto is_plain = [](char c) { return c >= 0x20 && c < 0x7F; };
  if (std::all_of(text.begin(), text.end(), is_plain)) return std::string(text);
  std::string safe;
  safe.reserve(text.size());
  while (!text.empty()) {
    const CodePoint c = Decode(text);
    const size_t size = c.size == 0 ? 1 : c.size;
    if (c.size == 0 || c.value < 0x20 || c.value == 0x7F) {
      fmt::format_to(std::back_inserter(safe), "\\x{:02x}", static_cast<unsigned char>(text[0]));
    } else if (c.value >= 0x80 && c.value < 0xA0) {
      fmt::format_to(std::back_inserter(safe), "\\x{:02x}", c.value);
    } else if (IsDeceptive(c.value)) {
      fmt::format_to(std::back_inserter(safe), "\\u{{{:x}}}", c.value);
    } else {
      safe.append(text.substr(0, size));
    }
    text.remove_prefix(size);
  }
  return safe;
}

size_t DisplayWidth(std::string_view text) {
  size_t width = 0;
  for (const char c : text) width += IsContinuation(c) ? 0 : 1;
  return width;
}

std::string CutFront(std::string_view text, size_t width) {
  const size_t have = DisplayWidth(text);
  if (have <= width) return std::string(text);
  const size_t keep = width > 3 ? width - 3 : 0;
  size_t drop = have - keep;
  size_t i = 0;
  while (i < text.size() && (drop > 0 || IsContinuation(text[i]))) {
    if (!IsContinuation(text[i])) --drop;
    ++i;
  }
  return std::string("...").append(text.substr(i));
}

std::string CutPath(std::string_view path, size_t width) {
  if (DisplayWidth(path) <= width) return std::string(path);
  for (size_t slash = path.find('/', 1); slash != std::string_view::npos;
       slash = path.find('/', slash + 1)) {
    if (DisplayWidth(path.substr(slash)) + 3 <= width)
      return std::string("...").append(path.substr(slash));
  }
  return CutFront(path, width);
}

std::string CutEnd(std::string_view text, size_t width) {
  if (DisplayWidth(text) <= width) return std::string(text);
  size_t keep = width > 3 ? width - 3 : 0;
  size_t i = 0;
  while (i < text.size() && (keep > 0 || IsContinuation(text[i]))) {
    if (!IsContinuation(text[i])) --keep;
    ++i;
  }
  return std::string(text.substr(0, i)).append("...");
}

std::string WithControlsEscaped(std::string json) {
  const auto needs_it = [&json](size_t i) {
    const auto byte = static_cast<unsigned char>(json[i]);
    if (byte == 0x7F) return true;
    return byte == 0xC2 && i + 1 < json.size() && static_cast<unsigned char>(json[i + 1]) < 0xA0;
  };
  size_t next = 0;
  while (next < json.size() && !needs_it(next)) ++next;
  if (next == json.size()) return json;  // nearly always
  std::string escaped = json.substr(0, next);
  for (size_t i = next; i < json.size(); ++i) {
    if (!needs_it(i)) {
      escaped += json[i];
      continue;
    }
    if (json[i] != 0x7F) ++i;  // of two bytes the second is the character
    escaped += fmt::format("\\u{:04x}", static_cast<unsigned>(static_cast<unsigned char>(json[i])));
  }
  return escaped;
}

}  // namespace heapgauge
