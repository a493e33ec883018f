// JSON as text, piece by piece, inside the watched process.
//
// nlohmann-json writes the odd scalars (escapes, replacement of what is not UTF-8, exponents); texts
// of plain ASCII and ordinary numbers, which are nearly all, are written here as it would write
// them, at a tenth of the cost.  The structure is ours: an array or object of that library asks for memory in its destructor, and
// where there is none std::terminate() takes the host with it.  It is also how ten thousand sites
// need no tree of some hundred megabytes.
//
// Any call may throw std::bad_alloc; the object is then good for nothing but its destructor.
#ifndef HEAPGAUGE_REPORT_JSON_TEXT_H_
#define HEAPGAUGE_REPORT_JSON_TEXT_H_

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace heapgauge {

// A value that is JSON already.
struct ReadyJson {
  std::string_view text;
};

class JsonText final {
 public:
  // An object or array, up to the End() that belongs to it; without a key as an element or as the
  // whole text.
  JsonText& BeginObject() { return Begin('{'); }
  JsonText& BeginArray() { return Begin('['); }
  JsonText& BeginObject(std::string_view key) { return Key(key).Begin('{'); }
  JsonText& BeginArray(std::string_view key) { return Key(key).Begin('['); }
  JsonText& End();

  // A member.  Numbers are rounded to six decimals; those that are not finite are 0, or null where
  // they are optional.
  template <typename Value>
  JsonText& Add(std::string_view key, const Value& value) {
    return Key(key).Element(value);
  }

  // The same, or null where it is not known.
  template <typename Value>
  JsonText& AddOrNull(std::string_view key, bool known, const Value& value) {
    return known ? Add(key, value) : Add(key, nullptr);
  }

  // The members `function`, `file` and `line`: where a call site is.  "" and 0: not known.
  JsonText& AddPlace(std::string_view function, std::string_view file, uint64_t line) {
    return Add("function", function)
        .AddOrNull("file", !file.empty(), file)
        .AddOrNull("line", line != 0, line);
  }

  JsonText& Element(std::string_view text);
  JsonText& Element(const char* text) { return Element(std::string_view(text)); }
  JsonText& Element(const std::string& text) { return Element(std::string_view(text)); }
  JsonText& Element(const ReadyJson& json) { return Raw(json.text); }
  JsonText& Element(std::nullptr_t) { return Raw("null"); }
  JsonText& Element(bool value) { return Raw(value ? "true" : "false"); }
  JsonText& Element(double value);
  template <std::integral Integer>
  requires(!std::same_as<Integer, bool>) JsonText& Element(Integer value) {
    if constexpr (std::signed_integral<Integer>) return Signed(value);
    return Unsigned(value);
  }
  template <typename Value>
  JsonText& Element(const std::optional<Value>& value) {
    if constexpr (std::same_as<Value, double>) return ElementOrNull(value);
    return value ? Element(*value) : Element(nullptr);
  }

  // All of it, once every Begin has had its End.
  std::string Take() { return std::move(text_); }

 private:
  JsonText& Key(std::string_view key);
  JsonText& Begin(char bracket);
  JsonText& Raw(std::string_view text);
  JsonText& Signed(int64_t value);
  JsonText& Unsigned(uint64_t value);
  JsonText& ElementOrNull(const std::optional<double>& value);
  void Separate();

  std::string text_;
  std::string open_;    // closing brackets still to come, the innermost last
  bool first_ = true;   // nothing stands before the next element but a bracket
  bool keyed_ = false;  // a key stands before it
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_REPORT_JSON_TEXT_H_
