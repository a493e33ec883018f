// Colours and columns of the text report.
#ifndef HEAPGAUGE_REPORT_TEXT_STYLE_H_
#define HEAPGAUGE_REPORT_TEXT_STYLE_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace heapgauge {

enum class Ink : uint8_t { kPlain, kBold, kDim, kRed, kYellow, kGreen, kCyan };

// `text` in `ink`; unchanged when `colour` is off.
std::string Paint(std::string_view text, Ink ink, bool colour);

// The ink of a verdict, the same everywhere.
Ink InkOf(std::string_view verdict);

// Rows whose columns line up.  Cells are plain text; ink goes on after they are padded.
class Table final {
 public:
  struct Cell {
    std::string text;
    Ink ink = Ink::kPlain;
  };
  enum class Align : uint8_t { kLeft, kRight };

  explicit Table(std::vector<Align> columns) : columns_(std::move(columns)) {}

  // As many cells as there are columns.
  void Add(std::vector<Cell> row) { rows_.push_back(std::move(row)); }

  // Two spaces between columns, none behind the last; `indent` before each row.
  std::string Render(std::string_view indent, bool colour) const;

 private:
  std::vector<Align> columns_;
  std::vector<std::vector<Cell>> rows_;
};

// `text` broken between words into lines of at most `width` columns, each behind `indent`; ends in
// a line break.
std::string Wrapped(std::string_view text, std::string_view indent, size_t width);

}  // namespace heapgauge

#endif  // HEAPGAUGE_REPORT_TEXT_STYLE_H_
