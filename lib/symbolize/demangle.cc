#include "symbolize/demangle.h"

#include <cxxabi.h>
#include <stdlib.h>

#include <memory>
#include <string_view>

namespace heapgauge::symbolize {
namespace {

constexpr std::string_view kCut = "...";

std::string Limit(std::string name) {
  if (name.size() <= kMaxFunctionName) return name;
  size_t end = kMaxFunctionName - kCut.size();
  // Not within a UTF-8 sequence: identifiers may hold any letters.
  while (end > 0 && (static_cast<unsigned char>(name[end]) & 0xC0) == 0x80) --end;
  name.resize(end);
  return name.append(kCut);
}

}  // namespace

std::string Demangle(const std::string& name, size_t max_mangled) {
  // Without the prefix __cxa_demangle would read a C name as a type: "f" is float.
  if (!name.starts_with("_Z") || name.size() > max_mangled) return Limit(name);
  int status = 0;
  const std::unique_ptr<char, decltype(&free)> text(
      abi::__cxa_demangle(name.c_str(), nullptr, nullptr, &status), &free);
  return Limit(status == 0 && text ? std::string(text.get()) : name);
}

}  // namespace heapgauge::symbolize
