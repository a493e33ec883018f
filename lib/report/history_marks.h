// How a cell of history_batch.h is written, given what is known of it.
#ifndef HEAPGAUGE_REPORT_HISTORY_MARKS_H_
#define HEAPGAUGE_REPORT_HISTORY_MARKS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace heapgauge {

// Of what a cell changed by, or of the cell itself: nothing is lost, two thousandths, one hundredth.
enum class CellLoss : uint8_t { kNone, kLittle, kSome };

// What both sides know before a cell is written.
struct CellContext {
  double last = 0;                  // of this row and column, in the report before
  bool is_new = false;              // there is none
  std::optional<double> predicted;  // by other cells of this report
};

// Appends a mark and its bytes.  Returns what a reader will read.
double WriteCell(double value, CellLoss loss, const CellContext& context, std::string* marks,
                 std::string* bytes);

// nullopt where `bytes` ends too early or there is no such mark.
std::optional<double> ReadCell(uint8_t mark, const CellContext& context, std::string_view* bytes);

}  // namespace heapgauge

#endif  // HEAPGAUGE_REPORT_HISTORY_MARKS_H_
