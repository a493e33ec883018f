// A report's members as cells of named columns, and back: report_fields.inc is the list of them.
#ifndef HEAPGAUGE_REPORT_HISTORY_CELLS_H_
#define HEAPGAUGE_REPORT_HISTORY_CELLS_H_

#include <cmath>
#include <concepts>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <vector>

#include "report/history_marks.h"
#include "report/report_fields.h"

namespace heapgauge {

// NaN: there is none.
struct Cell {
  double value = 0;
  CellLoss loss = CellLoss::kNone;
};

// What `Text` types are in a cell: their place in a table.
template <typename T>
concept Texts =
    std::same_as<T, std::string> || std::same_as<T, TextIfAny> || std::same_as<T, TextMap> ||
    std::same_as<T, std::vector<std::string>> || std::same_as<T, FrameList>;

std::string ToText(const std::string& text);
std::string ToText(const TextMap& texts);
std::string ToText(const std::vector<std::string>& texts);
std::string ToText(const FrameList& frames);
void FromText(std::string_view text, std::string* out);
void FromText(std::string_view text, TextMap* out);
void FromText(std::string_view text, std::vector<std::string>* out);
void FromText(std::string_view text, FrameList* out);

// Walks the cells of a structure with its inner ones: each(name, member) for those that are a cell.
template <typename Each>
class CellWalk final {
 public:
  explicit CellWalk(const Each& each) : each_(each) {}

  template <typename T>
  void operator()(const char* key, T& member) const {
    using Member = std::remove_const_t<T>;
    const std::string name = prefix_ + key;
    if constexpr (std::same_as<Member, SamplingInfo> || std::same_as<Member, ProcessInfo> ||
                  std::same_as<Member, Totals> || std::same_as<Member, Forecast>) {
      CellWalk inner(each_);
      inner.prefix_ = name + ".";
      VisitFields(member, inner);
    } else if constexpr (std::same_as<Member, FlagIfSet>) {
      each_(name, member.set);
    } else if constexpr (std::is_arithmetic_v<Member> || Texts<Member> ||
                         std::same_as<Member, std::optional<double>> ||
                         std::same_as<Member, std::optional<uint64_t>> ||
                         std::same_as<Member, std::optional<uint32_t>>) {
      each_(name, member);
    } else if constexpr (std::same_as<Member, std::optional<Forecast>>) {
      // As its members, all NaN where there is none; a reader's is there while it is filled in.
      if constexpr (std::is_const_v<T>) {
        static const Forecast kNone = [] {
          Forecast none;
          none.seconds_to_limit = std::numeric_limits<double>::quiet_NaN();
          return none;
        }();
        (*this)(key, member ? *member : kNone);
      } else {
        member.emplace();
        (*this)(key, *member);
        if (std::isnan(member->seconds_to_limit)) member.reset();
      }
    }
    // Others (lists of stacks, what is found out about a single one) are no cells.
  }

 private:
  const Each& each_;
  std::string prefix_;
};

// Of a report: all but its lists of stacks.
template <Either<Report> T, typename Each>
void VisitCells(T& report, const Each& each) {
  VisitFields(report, CellWalk(each));
}
template <Either<Site> T, typename Each>
void VisitCells(T& site, const Each& each) {
  VisitFields(site, CellWalk(each));
}
// With its sum; the ids of its stacks are no cell, the stacks tell theirs.
template <Either<Callsite> T, typename Each>
void VisitCells(T& callsite, const Each& each) {
  VisitFields(callsite.sum, CellWalk(each));
  each("stacks", callsite.stacks);
  each("largest_stack_share", callsite.largest_stack_share);
}

}  // namespace heapgauge

#endif  // HEAPGAUGE_REPORT_HISTORY_CELLS_H_
