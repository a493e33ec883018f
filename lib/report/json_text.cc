#include "report/json_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

#include "report/printable.h"

namespace heapgauge {
namespace {

// Scalars only: see the head of json_text.h.
using Scalar = nlohmann::json;

std::string Dump(const Scalar& scalar) {
  return scalar.dump(-1, ' ', false, Scalar::error_handler_t::replace);
}

// Characters that stand in JSON as they are.
constexpr std::array<bool, 256> kPlain = [] {
  std::array<bool, 256> plain{};
  for (size_t c = 0x20; c < 0x7F; ++c) plain[c] = c != '"' && c != '\\';
  return plain;
}();

bool IsPlain(std::string_view text) {
  for (const char c : text) {
    if (!kPlain[static_cast<unsigned char>(c)]) return false;
  }
  return true;
}

// `millionths` as that library writes it: the shortest digits that read back as the same double,
// and at most fifteen do.  Not for what it writes with an exponent (below 0.0001).
size_t WriteMillionths(int64_t millionths, char (&out)[32]) {
  char* end = out;
  if (millionths < 0) *end++ = '-';
  const auto magnitude = static_cast<uint64_t>(millionths < 0 ? -millionths : millionths);
  end = std::to_chars(end, out + sizeof(out), magnitude / 1'000'000).ptr;
  uint64_t fraction = magnitude % 1'000'000;
  if (fraction == 0) return static_cast<size_t>(end - out);
  *end++ = '.';
  for (uint64_t unit = 100'000; fraction != 0; unit /= 10) {
    *end++ = static_cast<char>('0' + fraction / unit);
    fraction %= unit;
  }
  return static_cast<size_t>(end - out);
}

}  // namespace

void JsonText::Separate() {
  if (!first_ && !keyed_) text_ += ',';
  first_ = keyed_ = false;
}

JsonText& JsonText::Raw(std::string_view text) {
  Separate();
  text_ += text;
  return *this;
}

// Most of a report is keys, the same again and again: put together aside, and appended at once.
JsonText& JsonText::Key(std::string_view key) {
  char piece[64];
  if (key.size() > sizeof(piece) - 4 || !IsPlain(key)) {
    Element(key);
    text_ += ':';
  } else {
    char* end = piece;
    if (!first_ && !keyed_) *end++ = ',';
    *end++ = '"';
    end = std::copy(key.begin(), key.end(), end);
    *end++ = '"';
    *end++ = ':';
    text_.append(piece, static_cast<size_t>(end - piece));
    first_ = false;
  }
  keyed_ = true;
  return *this;
}

JsonText& JsonText::Begin(char bracket) {
  Separate();
  text_ += bracket;
  open_ += bracket == '{' ? '}' : ']';
  first_ = true;
  return *this;
}

JsonText& JsonText::End() {
  text_ += open_.back();
  open_.pop_back();
  first_ = false;
  return *this;
}

JsonText& JsonText::Element(std::string_view text) {
  if (!IsPlain(text)) return Raw(WithControlsEscaped(Dump(Scalar(text))));
  Separate();
  text_ += '"';
  text_ += text;
  text_ += '"';
  return *this;
}

JsonText& JsonText::Signed(int64_t value) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof(digits), value).ptr;
  return Raw({digits, static_cast<size_t>(end - digits)});
}

JsonText& JsonText::Unsigned(uint64_t value) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof(digits), value).ptr;
  return Raw({digits, static_cast<size_t>(end - digits)});
}

JsonText& JsonText::Element(double value) {
  if (!std::isfinite(value)) return Element(0);
  const double millionths = std::round(value * 1e6);
  const double rounded = millionths / 1e6;
  if (!std::isfinite(rounded)) return Raw(Dump(Scalar(value)));  // too large to have a fraction
  constexpr double kExactInteger = 9007199254740992.0;           // 2^53
  if (rounded == std::trunc(rounded) && std::fabs(rounded) <= kExactInteger) {
    return Element(static_cast<int64_t>(rounded));
  }
  const double size = std::fabs(millionths);
  if (size < 100 || size >= 1e15) return Raw(Dump(Scalar(rounded)));
  char digits[32];
  const size_t count = WriteMillionths(static_cast<int64_t>(millionths), digits);
  return Raw({digits, count});
}

JsonText& JsonText::ElementOrNull(const std::optional<double>& value) {
  return value && std::isfinite(*value) ? Element(*value) : Element(nullptr);
}

}  // namespace heapgauge
