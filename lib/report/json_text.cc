#include "report/json_text.h"

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

JsonText& JsonText::Key(std::string_view key) {
  Element(key);
  text_ += ':';
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
  return Raw(WithControlsEscaped(Dump(Scalar(text))));
}

JsonText& JsonText::Element(double value) {
  if (!std::isfinite(value)) return Element(0);
  const double rounded = std::round(value * 1e6) / 1e6;
  if (!std::isfinite(rounded)) return Raw(Dump(Scalar(value)));  // too large to have a fraction
  constexpr double kExactInteger = 9007199254740992.0;           // 2^53
  if (rounded == std::trunc(rounded) && std::fabs(rounded) <= kExactInteger) {
    return Element(static_cast<int64_t>(rounded));
  }
  return Raw(Dump(Scalar(rounded)));
}

JsonText& JsonText::ElementOrNull(const std::optional<double>& value) {
  return value && std::isfinite(*value) ? Element(*value) : Element(nullptr);
}

}  // namespace heapgauge
