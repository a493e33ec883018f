#include "symbolize/demangle.h"

#include <cxxabi.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <memory>
#include <string_view>

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
// the demangler is left once it has said as much as anybody is shown.
struct Text {
  jmp_buf enough;
  size_t used;
  char bytes[kMaxFunctionName + 1];  // one more than is shown: then it is marked as cut
};

void Take(const char* piece, size_t length, void* data) {
  Text& text = *static_cast<Text*>(data);
  const size_t room = sizeof text.bytes - text.used;
  const size_t taken = length < room ? length : room;
  memcpy(text.bytes + text.used, piece, taken);
  text.used += taken;
  // Over frames of C code that holds nothing: its arrays are on the stack.
  if (taken == room) longjmp(text.enough, 1);
}

// No object with a destructor lives in here.
bool DemangleBounded(const char* name, Text* text) {
  text->used = 0;
  if (setjmp(text->enough) != 0) return true;
  return __gcclibcxx_demangle_callback(name, Take, text) == 0;
}

}  // namespace

std::string Demangle(const std::string& name, size_t max_mangled) {
  // Without the prefix __cxa_demangle would read a C name as a type: "f" is float.
  if (!name.starts_with("_Z") || name.size() > max_mangled) return Limit(name);
  if (__gcclibcxx_demangle_callback != nullptr) {
    const std::unique_ptr<Text> text(new Text);
    return Limit(DemangleBounded(name.c_str(), text.get()) ? std::string(text->bytes, text->used)
                                                           : name);
  }
  // A program of ours with limits of its own.
  int status = 0;
  const std::unique_ptr<char, decltype(&free)> text(
      abi::__cxa_demangle(name.c_str(), nullptr, nullptr, &status), &free);
  return Limit(status == 0 && text ? std::string(text.get()) : name);
}

}  // namespace heapgauge::symbolize
