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

constexpr int kEnoughSaid = 1;
static_assert(kEnoughSaid != kNameTooSlow);

struct Text {
  sigjmp_buf leave;
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
  if (text.said > kMostText) siglongjmp(text.leave, kEnoughSaid);
}

// No object with a destructor lives in here.  Who leaves from a signal's handler has its mask saved.
bool DemangleBounded(Demangler demangler, const char* name, const TimeForName* time, Text* text) {
  const int left = sigsetjmp(text->leave, time != nullptr ? 1 : 0);
  if (left == kNameTooSlow) return false;
  if (left == 0 && time != nullptr) time->start(&text->leave);
  const bool read = left == kEnoughSaid || demangler(name, Take, text) == 0;
  if (time != nullptr) time->end();
  return read;
}

// Whole where it has room, else without what stands in brackets, else cut.
std::string Shown(const Text& text) {
  const std::string_view outline = text.outline.Get();
  if (text.used > kMaxFunctionName && text.said <= kMostText && !outline.empty())
    return std::string(outline);
  return Limit(std::string(text.bytes, text.used));
}

// What begins an expression: a template's argument, an array's size, what a template demands; and,
// behind a D, decltype, noexcept, a number of bits, a vector's size.
size_t FirstExpression(std::string_view name) {
  for (size_t i = 2; i < name.size(); ++i) {
    if (std::string_view("XAQ").find(name[i]) != std::string_view::npos) return i;
    if (name[i - 1] == 'D' && std::string_view("TtOBUv").find(name[i]) != std::string_view::npos)
      return i;
  }
  return name.size();
}

// The demangler of the C++ library and GNU's never come back from some damaged names of 16 bytes
// or more: behind "sr", which names a member of what only an expression makes known, they read name
// after name, and where one begins like a constructor's, a destructor's or a closure's (C, D, U) and
// is none, they stay where they are.  True as well for whole names with such letters in an
// identifier behind the "sr": one in five thousand of those in a system's libraries.
bool MayNeverEnd(std::string_view name) {
  const size_t member = name.find("sr", FirstExpression(name));
  if (member == std::string_view::npos) return false;
  for (size_t i = member + 2; i < name.size(); ++i) {
    std::string_view read;  // what may follow, so that the demangler goes on
    switch (name[i]) {
      case 'C':
        read = "12345I";
        break;
      case 'D':
        read = "01245Tt";
        break;
      case 'U':
        read = "lt";
        break;
      default:
        continue;
    }
    if (i + 1 == name.size() || read.find(name[i + 1]) == std::string_view::npos) return true;
  }
  return false;
}

}  // namespace

bool NeedsHelperToRead(std::string_view name) {
  if (!name.starts_with("_Z")) return IsRustV0(name);
  return name.size() > kMaxMangledInHost || (MayNeverEnd(name) && !RustLegacyName(name));
}

std::string DemangleBy(Demangler demangler, const std::string& name, const TimeForName* time) {
  const std::unique_ptr<Text> text(new Text());
  return DemangleBounded(demangler, name.c_str(), time, text.get()) ? Shown(*text) : Limit(name);
}

std::string Demangle(const std::string& name, size_t max_mangled, const TimeForName* time) {
  if (const auto rust = RustLegacyName(name)) return Limit(*rust);
  // Without the prefix __cxa_demangle would read a C name as a type: "f" is float.
  if (!name.starts_with("_Z") || name.size() > max_mangled) return Limit(name);
  const bool can_be_left = __gcclibcxx_demangle_callback != nullptr;
  if (!(can_be_left && time != nullptr) && MayNeverEnd(name)) return Limit(name);
  if (can_be_left) {
    return DemangleBy(__gcclibcxx_demangle_callback, name, time);
  }
  // A program of ours with limits of its own.
  int status = 0;
  const std::unique_ptr<char, decltype(&free)> text(
      abi::__cxa_demangle(name.c_str(), nullptr, nullptr, &status), &free);
  return Limit(status == 0 && text ? std::string(text.get()) : name);
}

}  // namespace heapgauge::symbolize
