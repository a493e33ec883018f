#include "report/history_cells.h"

#include <charconv>

namespace heapgauge {
namespace {

// Between the items of a list, and between the parts of an item.  Names of functions and files that
// hold them lose them.
constexpr char kItem = '\n';
constexpr char kPart = '\t';

void Append(std::string_view part, char end, std::string* out) {
  const size_t begin = out->size();
  out->append(part);
  for (const char separator : {kItem, kPart}) {
    for (size_t at = out->find(separator, begin); at != std::string::npos;
         at = out->find(separator, at)) {
      (*out)[at] = ' ';
    }
  }
  out->push_back(end);
}

// What stands before the next `end`; `text` goes on behind it.
std::string_view Next(std::string_view* text, char end) {
  const std::string_view part = text->substr(0, text->find(end));
  text->remove_prefix(std::min(text->size(), part.size() + 1));
  return part;
}

template <typename Number>
Number ReadNumber(std::string_view text, int base = 10) {
  Number value{};
  std::from_chars(text.data(), text.data() + text.size(), value, base);
  return value;
}

std::string Hex(uint64_t value) {
  char digits[16];
  return {digits, std::to_chars(digits, digits + sizeof(digits), value, 16).ptr};
}

}  // namespace

std::string ToText(const std::string& text) { return text; }

std::string ToText(const TextMap& texts) {
  std::string out;
  for (const auto& [name, value] : texts) {
    Append(name, kPart, &out);
    Append(value, kItem, &out);
  }
  return out;
}

std::string ToText(const std::vector<std::string>& texts) {
  std::string out;
  for (const std::string& text : texts) Append(text, kItem, &out);
  return out;
}

std::string ToText(const FrameList& frames) {
  std::string out;
  for (const Frame& frame : frames) {
    Append(frame.function, kPart, &out);
    Append(frame.file.value_or(""), kPart, &out);
    Append(frame.line ? std::to_string(*frame.line) : "", kPart, &out);
    Append(frame.module, kPart, &out);
    Append(Hex(frame.module_offset), kPart, &out);
    const char flags[] = {frame.inlined ? 'i' : '-', frame.verbatim.set ? 'v' : '-'};
    Append({flags, sizeof(flags)}, kItem, &out);
  }
  return out;
}

void FromText(std::string_view text, std::string* out) { *out = text; }

void FromText(std::string_view text, TextMap* out) {
  while (!text.empty()) {
    std::string_view item = Next(&text, kItem);
    const std::string_view name = Next(&item, kPart);
    (*out)[std::string(name)] = item;
  }
}

void FromText(std::string_view text, std::vector<std::string>* out) {
  while (!text.empty()) out->emplace_back(Next(&text, kItem));
}

void FromText(std::string_view text, FrameList* out) {
  FrameList::Frames frames = *out;
  while (!text.empty()) {
    std::string_view item = Next(&text, kItem);
    Frame& frame = frames.emplace_back();
    frame.function = Next(&item, kPart);
    const std::string_view file = Next(&item, kPart);
    if (!file.empty()) frame.file = file;
    const std::string_view line = Next(&item, kPart);
    if (!line.empty()) frame.line = ReadNumber<uint32_t>(line);
    frame.module = Next(&item, kPart);
    frame.module_offset = ReadNumber<uint64_t>(Next(&item, kPart), 16);
    frame.inlined = item.starts_with('i');
    frame.verbatim.set = item.ends_with('v');
  }
  *out = std::move(frames);
}

}  // namespace heapgauge
