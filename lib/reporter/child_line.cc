// One line of children.jsonl, written without the heap.
#include <unistd.h>

#include <cstdarg>
#include <cstdio>
#include <cstring>

#include "reporter/family.h"
#include "store/site_table.h"
#include "trace/module_ledger.h"

namespace heapgauge {
namespace {

// Of a path: its end says more than its beginning.
constexpr size_t kMostText = 700;

class Line final {
 public:
  explicit Line(char (&to)[kChildLineBytes]) : to_(to) {}

  void __attribute__((format(printf, 2, 3))) Print(const char* format, ...) noexcept {
    va_list arguments;
    va_start(arguments, format);
    const int size = vsnprintf(to_ + used_, kChildLineBytes - used_, format, arguments);
    va_end(arguments);
    if (size > 0) used_ += static_cast<size_t>(size);
    if (used_ >= kChildLineBytes) used_ = kChildLineBytes - 1;
  }

  // At most six bytes of output a byte of text: two texts and the figures fit.
  void Text(const char* text) noexcept {
    size_t size = strlen(text);
    if (size > kMostText) {
      text += size - kMostText;
      size = kMostText;
    }
    // What is cut in two is no UTF-8.
    while (size > 0 && (static_cast<unsigned char>(*text) & 0xC0) == 0x80) ++text, --size;
    for (size_t i = 0; i < size;) {
      const size_t length = CharacterAt(text + i, size - i);
      const auto byte = static_cast<unsigned char>(text[i]);
      if (length == 0) {
        Print("\\ufffd");
      } else if (length > 1) {
        Print("%.*s", static_cast<int>(length), text + i);
      } else if (byte < 0x20 || byte == 0x7F) {
        Print("\\u%04x", static_cast<unsigned>(byte));
      } else if (byte == '"' || byte == '\\') {
        Print("\\%c", text[i]);
      } else {
        Print("%c", text[i]);
      }
      i += length == 0 ? 1 : length;
    }
  }

  size_t size() const noexcept { return used_; }

 private:
  // Bytes of the UTF-8 character at `text`; 0: none is there, or one that is a control.
  static size_t CharacterAt(const char* text, size_t left) noexcept {
    const auto at = [text](size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned head = at(0);
    if (head < 0x80) return 1;
    const size_t length = head >= 0xF5   ? 0
                          : head >= 0xF0 ? 4
                          : head >= 0xE0 ? 3
                          : head >= 0xC2 ? 2
                                         : 0;
    if (length == 0 || length > left) return 0;
    for (size_t i = 1; i < length; ++i) {
      if ((at(i) & 0xC0) != 0x80) return 0;
    }
    const unsigned second = at(1);
    const bool overlong = (head == 0xE0 && second < 0xA0) || (head == 0xF0 && second < 0x90);
    const bool beyond = (head == 0xED && second >= 0xA0) || (head == 0xF4 && second >= 0x90);
    const bool control = head == 0xC2 && second < 0xA0;
    return overlong || beyond || control ? 0 : length;
  }

  char (&to_)[kChildLineBytes];
  size_t used_ = 0;
};

// "" until it is known.
char g_executable[4096] = "";

}  // namespace

void LearnExecutable() noexcept {
  if (g_executable[0] != '\0') return;
  const ssize_t size = readlink("/proc/self/exe", g_executable, sizeof(g_executable) - 1);
  g_executable[size > 0 ? size : 0] = '\0';
}

void FindCallsite(const StoredSite& site, const ModuleLedger& modules, ChildLine* line) noexcept {
  static constexpr const char* kLibraries[] = {"libc.so", "libstdc++.so", "libc++.so", "ld-linux"};
  for (int pass = 0; pass < 2 && line->module == nullptr; ++pass) {
    for (uint32_t i = 0; i < site.depth && line->module == nullptr; ++i) {
      const uintptr_t call = site.frames()[i] - 1;
      const ModuleRecord* const holder =
          modules.HolderOf(call, site.holder_numbers(), site.holders);
      if (holder == nullptr) continue;
      const char* name = holder->facts.name;
      bool skipped = false;
      for (const char* library : kLibraries) skipped = skipped || strstr(name, library) != nullptr;
      if (skipped && pass == 0) continue;  // in the second pass any will do
      if (*name == '\0') {
        LearnExecutable();
        name = g_executable[0] != '\0' ? g_executable : line->exe;
      }
      line->module = name;
      line->offset = call - holder->facts.bias;
    }
  }
}

size_t WriteChildLine(const ChildLine& child, char (&to)[kChildLineBytes]) noexcept {
  Line line(to);
  line.Print("{\"pid\":%d,\"exe\":\"", static_cast<int>(child.pid));
  line.Text(child.exe);
  // Not by %f: its point is the host's locale's.
  const auto ms = static_cast<unsigned long long>(child.lifetime_s * 1000 + 0.5);
  line.Print("\",\"lifetime_s\":%llu.%03llu,\"live_bytes\":%llu,\"allocated_bytes\":%llu",
             ms / 1000, ms % 1000, static_cast<unsigned long long>(child.live_bytes),
             static_cast<unsigned long long>(child.allocated_bytes));
  // What has gone again does not grow; of the rest one look says nothing.
  line.Print(",\"verdict\":\"%s\",\"exit\":", child.live_bytes == 0 ? "ok" : "warming");
  if (child.has_status) {
    line.Print("%d", child.status);
  } else {
    line.Print("null");
  }
  if (child.module == nullptr) {
    line.Print(",\"callsite\":null}\n");
  } else {
    line.Print(",\"callsite\":{\"module\":\"");
    line.Text(child.module);
    line.Print("\",\"offset\":%llu,\"live_bytes\":%llu}}\n",
               static_cast<unsigned long long>(child.offset),
               static_cast<unsigned long long>(child.site_live_bytes));
  }
  return line.size();
}

}  // namespace heapgauge
