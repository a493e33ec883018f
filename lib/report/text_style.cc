#include "report/text_style.h"

#include <algorithm>

#include "report/printable.h"

namespace heapgauge {

std::string Paint(std::string_view text, Ink ink, bool colour) {
  if (!colour || ink == Ink::kPlain || text.empty()) return std::string(text);
  const char* code = "";
  switch (ink) {
    case Ink::kBold:
      code = "\x1b[1m";
      break;
    case Ink::kDim:
      code = "\x1b[2m";
      break;
    case Ink::kRed:
      code = "\x1b[1;31m";
      break;
    case Ink::kYellow:
      code = "\x1b[33m";
      break;
    case Ink::kGreen:
      code = "\x1b[32m";
      break;
    case Ink::kCyan:
      code = "\x1b[36m";
      break;
    case Ink::kPlain:
      break;
  }
  // Each line by itself: pagers drop the colour at a line break.
  std::string out;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    if (end > 0) out.append(code).append(text.substr(0, end)).append("\x1b[0m");
    if (end < text.size()) out += '\n';
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

Ink InkOf(std::string_view verdict) {
  if (verdict == "leak") return Ink::kRed;
  if (verdict == "growing") return Ink::kYellow;
  if (verdict == "load") return Ink::kCyan;
  if (verdict == "ok" || verdict == "steady") return Ink::kGreen;
  return Ink::kDim;
}

std::string Table::Render(std::string_view indent, bool colour) const {
  std::vector<size_t> widths(columns_.size(), 0);
  for (const auto& row : rows_) {
    for (size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], DisplayWidth(row[i].text));
    }
  }
  std::string out;
  for (const auto& row : rows_) {
    std::string line(indent);
    for (size_t i = 0; i < row.size(); ++i) {
      const std::string padding(widths[i] - DisplayWidth(row[i].text), ' ');
      const std::string cell = Paint(row[i].text, row[i].ink, colour);
      if (columns_[i] == Align::kRight) line += padding;
      line += cell;
      if (columns_[i] == Align::kLeft && i + 1 < row.size()) line += padding;
      if (i + 1 < row.size()) line += "  ";
    }
    line.resize(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
  return out;
}

std::string Wrapped(std::string_view text, std::string_view indent, size_t width) {
  std::string out;
  std::string line(indent);
  size_t used = 0;  // columns of words on this line
  while (!text.empty()) {
    const size_t end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (word.empty()) continue;
    const size_t need = DisplayWidth(word) + (used > 0 ? 1 : 0);
    if (used > 0 && indent.size() + used + need > width) {
      out += line + "\n";
      line = indent;
      used = 0;
    }
    if (used > 0) line += ' ';
    line += word;
    used += DisplayWidth(word) + (used > 0 ? 1 : 0);
  }
  if (used > 0) out += line + "\n";
  return out;
}

}  // namespace heapgauge
