// What packer and unpacker of history_batch.h have in common: rows, and what predicts a cell.
#ifndef HEAPGAUGE_REPORT_HISTORY_LAYOUT_H_
#define HEAPGAUGE_REPORT_HISTORY_LAYOUT_H_

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "report/history_marks.h"

namespace heapgauge {

enum HistoryKind : size_t { kReportKind, kStackKind, kCallsiteKind, kHistoryKinds };

// The columns of one kind of row.
class HistoryColumns final {
 public:
  HistoryColumns() = default;
  explicit HistoryColumns(std::vector<std::string> names) : names_(std::move(names)) {
    rank_ = Find("rank");
    freed_bytes_ = Derived("freed_bytes", "allocated_bytes", "live_bytes");
    freed_objects_ = Derived("freed_objects", "allocated_objects", "live_objects");
  }
  const std::vector<std::string>& names() const { return names_; }
  // Where the figure itself is known to some per cent at best.
  static bool IsRough(std::string_view name) {
    return name.starts_with("growth_") || name.starts_with("lifetime_") || name == "age_p50_s" ||
           name == "confidence" || name == "live_bytes_stderr" || name == "largest_stack_share";
  }
  size_t size() const { return names_.size(); }

  static constexpr size_t kNone = SIZE_MAX;
  size_t Find(std::string_view name) const {
    const auto found = std::find(names_.begin(), names_.end(), name);
    return found == names_.end() ? kNone : static_cast<size_t>(found - names_.begin());
  }

  // Of `column`, from the cells of the row that are known by now; `position` counts from 0.
  std::optional<double> Predict(size_t column, const std::vector<double>& row,
                                size_t position) const {
    if (column == rank_) return static_cast<double>(position + 1);
    for (const Difference& of : {freed_bytes_, freed_objects_}) {
      if (column == of.column) return row[of.from] - row[of.less];
    }
    return std::nullopt;
  }

 private:
  struct Difference {
    size_t column = kNone;
    size_t from = 0;
    size_t less = 0;
  };
  Difference Derived(const char* column, const char* from, const char* less) const {
    const Difference of{Find(column), Find(from), Find(less)};
    // Those that come first are known first.
    const bool known = of.column != kNone && of.from < of.column && of.less < of.column;
    return known ? of : Difference{};
  }

  std::vector<std::string> names_;
  size_t rank_ = kNone;
  Difference freed_bytes_;
  Difference freed_objects_;
};

// The rows of one kind that a batch has seen, with their cells as a reader has them.
struct HistoryRows {
  HistoryColumns columns;
  std::vector<size_t> ids;                 // places of their ids among the texts
  std::vector<std::vector<double>> cells;  // as of the last report that had the row
  std::vector<bool> is_new;                // it has not been in any report yet
  std::vector<size_t> like;                // of call sites: the same column of stacks, or kNone

  void AddRow(size_t id) {
    ids.push_back(id);
    cells.emplace_back(columns.size(), 0.0);
    is_new.push_back(true);
  }
};

// Which column of stacks a column of call sites is the same as, where one stack is all there is.
inline std::vector<size_t> SameColumns(const HistoryColumns& callsites,
                                       const HistoryColumns& stacks) {
  std::vector<size_t> same;
  for (const std::string& name : callsites.names()) same.push_back(stacks.Find(name));
  return same;
}

// One row of one report: which it is, and of call sites the stack that predicts it, as a place
// among the report's stacks.
struct HistoryPlace {
  size_t row = 0;
  size_t stack = SIZE_MAX;
};

// What both sides know before the cell of a column in the `nth` place of a report.  `stack_rows`,
// `stacks`: rows of stacks, and their places in the same report, which are known before those of
// call sites.
inline CellContext ContextOf(const HistoryRows& rows, size_t column, const HistoryPlace& place,
                             size_t nth, const HistoryRows& stack_rows,
                             const std::vector<HistoryPlace>& stacks) {
  const std::vector<double>& known = rows.cells[place.row];
  CellContext context{known[column], rows.is_new[place.row],
                      rows.columns.Predict(column, known, nth)};
  if (!context.predicted && place.stack != SIZE_MAX && rows.like[column] != HistoryColumns::kNone) {
    context.predicted = stack_rows.cells[stacks[place.stack].row][rows.like[column]];
  }
  return context;
}

}  // namespace heapgauge

#endif  // HEAPGAUGE_REPORT_HISTORY_LAYOUT_H_
