// Many reports in few bytes: what becomes of old ones.
//
// A line of reports.jsonl says everything anew, names and frames most of all.  Of a batch of reports
// each text (a stack with its frames is one) is kept once, and of a figure only what it changed by
// since the report before, to two thousandths of that change or of the figure, whichever is less
// (history_marks.h); rates, ages and errors to a hundredth.  Counts, flags and texts are exact.  What
// is left is compressed.
//
//   batch   = "HGH1", size of what follows, size before compression [u32 each], deflate of plain
//   plain   = records, marks, bytes of fine cells, bytes of rough cells: each its size, and it
//   records = for report, stack and call site the names of the columns; then for each report its new
//             texts, its new rows, and its stacks and call sites by row
//
// A mark says how a cell is written (history_marks.h).  Marks and bytes stand apart, column by
// column, for that compresses best.  Columns go by name: a reader leaves out those that it does not
// know, and what it misses keeps its initial value.
//
// Left out: the evidence of what neither leaks nor grows, and the ids of stacks that are not listed.
//
// Not thread-safe.  All calls may throw std::bad_alloc.
#ifndef HEAPGAUGE_REPORT_HISTORY_BATCH_H_
#define HEAPGAUGE_REPORT_HISTORY_BATCH_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "report/report.h"

namespace heapgauge {

inline constexpr char kHistoryMagic[] = "HGH1";
inline constexpr size_t kHistoryHead = 12;  // bytes: magic and sizes
inline constexpr size_t kMostHistoryBatch = size_t{64}
                                            << 20;  // before compression; more is no batch

class HistoryPacker final {
 public:
  HistoryPacker();
  ~HistoryPacker();
  HistoryPacker(const HistoryPacker&) = delete;
  HistoryPacker& operator=(const HistoryPacker&) = delete;

  // At most `most_sites` of the report's stacks.
  void Add(const Report& report, size_t most_sites);
  size_t reports() const;
  size_t bytes() const;         // before compression, so far
  size_t memory_bytes() const;  // that it holds, by estimate
  // The batch so far, whole; what is added next begins another one.
  std::string Take();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Calls visit for each report of one batch (head included) until it returns false.  False with one
// line in *error where the batch is not sound; what came before the damage was visited.
bool UnpackHistory(std::string_view batch, const std::function<bool(Report&&)>& visit,
                   std::string* error);

}  // namespace heapgauge

#endif  // HEAPGAUGE_REPORT_HISTORY_BATCH_H_
