#include "report/mangled_name.h"

#include <cctype>
#include <utility>

namespace heapgauge {
namespace {

bool SkipAnyOf(std::string_view* text, std::string_view letters) {
  if (text->empty() || letters.find(text->front()) == std::string_view::npos) return false;
  text->remove_prefix(1);
  return true;
}

// "Thn16_", "Tv0_n24_": of a function that corrects `this` before it jumps to the one meant.
void SkipThunk(std::string_view* text) {
  for (const auto& [start, offsets] : {std::pair{"Th", 1}, {"Tv", 2}, {"Tch", 1}}) {
    if (!text->starts_with(start)) continue;
    for (int i = 0; i < offsets; ++i) {
      const size_t end = text->find('_');
      if (end == std::string_view::npos) return;
      text->remove_prefix(end + 1);
    }
    return;
  }
}

// "4absl": a length and so many letters; "" where there is none.
std::string_view TakeWord(std::string_view* text) {
  size_t length = 0;
  size_t at = 0;
  for (; at < text->size() && std::isdigit(static_cast<unsigned char>((*text)[at])) != 0; ++at) {
    length = length * 10 + static_cast<size_t>((*text)[at] - '0');
    if (length > text->size()) return {};
  }
  if (length == 0 || length > text->size() - at) return {};
  const std::string_view word = text->substr(at, length);
  text->remove_prefix(at + length);
  return word;
}

}  // namespace

std::string MangledScope(std::string_view symbol) {
  if (!symbol.starts_with("_Z")) return {};
  symbol.remove_prefix(2);
  SkipThunk(&symbol);
  bool nested = false;
  // Z: what is inside a function, N: inside a scope.
  while (SkipAnyOf(&symbol, "Z")) {
  }
  if (SkipAnyOf(&symbol, "N")) {
    nested = true;
    while (SkipAnyOf(&symbol, "rVKROH")) {
    }
  }
  // St is std, the others are its strings, streams and allocator.
  if (symbol.size() > 1 && symbol[0] == 'S' &&
      std::string_view("tabsiod").find(symbol[1]) != std::string_view::npos) {
    return "std::";
  }
  std::string scope;
  for (;;) {
    SkipAnyOf(&symbol, "L");
    const std::string_view word = TakeWord(&symbol);
    if (word.empty()) return scope;
    scope += word.starts_with("_GLOBAL__N_") ? std::string_view("(anonymous namespace)") : word;
    while (SkipAnyOf(&symbol, "B")) TakeWord(&symbol);
    if (symbol.starts_with("I")) return scope + '<';
    if (!nested || symbol.starts_with("E")) return scope;
    scope += "::";
  }
}

}  // namespace heapgauge
