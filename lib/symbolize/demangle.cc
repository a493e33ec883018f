#include "symbolize/demangle.h"

#include <cxxabi.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <memory>
#include <string_view>

#include "symbolize/name_outline.h"
#include "symbolize/rust_name.h"

// The C++ library's demangler as __cxa_demangle() uses it: hands the text over in pieces.  Only the
// static library lets others use it.
extern "C" __attribute__((weak)) int __gcclibcxx_demangle_callback(  // NOLINT: its name
    const char* mangled, void (*take)(const char* piece, size_t length, void* data), void* data);

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

// A name may refer to what came before it in the name, and so double its text with every three
// letters: 512 bytes can stand for more than there is memory, and for more than there is time.  So
// the demangler is left once it has said as much as a long name's outline may take.
constexpr size_t kMostText = size_t{256} * 1024;

struct Text {
  jmp_buf enough;
  size_t said;
  size_t used;
  char bytes[kMaxFunctionName + 1];  // one more than is shown: then it is marked as cut
  NameOutline outline;
};

void Take(const char* piece, size_t length, void* data) {
  Text& text = *static_cast<Text*>(data);
  const size_t room = sizeof text.bytes - text.used;
  const size_t taken = length < room ? length : room;
  memcpy(text.bytes + text.used, piece, taken);
  text.used += taken;
  for (size_t i = 0; i < length && i < kMostText; ++i) text.outline.Take(piece[i]);
  text.said += length;
  // Over frames of C code that holds nothing: its arrays are on the stack.
  if (text.said > kMostText) longjmp(text.enough, 1);
}

// No object with a destructor lives in here.
bool DemangleBounded(Demangler demangler, const char* name, Text* text) {
  if (setjmp(text->enough) != 0) return true;
  return demangler(name, Take, text) == 0;
}

// Whole where it has room, else without what stands in brackets, else cut.
std::string Shown(const Text& text) {
  const std::string_view outline = text.outline.Get();
  if (text.used > kMaxFunctionName && text.said <= kMostText && !outline.empty())
    return std::string(outline);
  return Limit(std::string(text.bytes, text.used));
}

}  // namespace

bool NeedsHelperToRead(std::string_view name) {
  return (name.starts_with("_Z") && name.size() > kMaxMangledInHost) || IsRustV0(name);
}

std::string DemangleBy(Demangler demangler, const std::string& name) {
  const std::unique_ptr<Text> text(new Text());
  return DemangleBounded(demangler, name.c_str(), text.get()) ? Shown(*text) : Limit(name);
}

std::string Demangle(const std::string& name, size_t max_mangled) {
  if (const auto rust = RustLegacyName(name)) return Limit(*rust);
  // Without the prefix __cxa_demangle would read a C name as a type: "f" is float.
  if (!name.starts_with("_Z") || name.size() > max_mangled) return Limit(name);
  if (__gcclibcxx_demangle_callback != nullptr) {
    return DemangleBy(__gcclibcxx_demangle_callback, name);
  }
  // A program of ours with limits of its own.
  int status = 0;
  const std::unique_ptr<char, decltype(&free)> text(
      abi::__cxa_demangle(name.c_str(), nullptr, nullptr, &status), &free);
  return Limit(status == 0 && text ? std::string(text.get()) : name);
}

}  // namespace heapgauge::symbolize
