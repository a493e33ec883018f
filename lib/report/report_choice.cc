#include "report/report_choice.h"

#include <fmt/core.h>

#include <charconv>
#include <utility>

#include "report/printable.h"
#include "report/report_file.h"

namespace heapgauge {
namespace {

// "0000-00-00T00:00:00": a digit for each 0.  The length of `text` up to which it has that shape.
size_t TimeShape(std::string_view text) {
  constexpr std::string_view kShape = "0000-00-00T00:00:00";
  size_t i = 0;
  for (; i < text.size() && i < kShape.size(); ++i) {
    const bool digit = text[i] >= '0' && text[i] <= '9';
    const bool separator = kShape[i] == 'T' ? text[i] == 'T' || text[i] == 't' || text[i] == ' '
                                            : text[i] == kShape[i];
    if (kShape[i] == '0' ? !digit : !separator) break;
  }
  return i;
}

std::optional<std::string> ParseTime(std::string_view text) {
  constexpr size_t kDay = 10;
  constexpr size_t kMinute = 16;
  constexpr size_t kSecond = 19;
  if (!text.empty() && (text.back() == 'Z' || text.back() == 'z')) text.remove_suffix(1);
  const size_t shape = TimeShape(text);
  if (shape != kDay && shape != kMinute && shape != kSecond) return std::nullopt;
  std::string time(text.substr(0, shape));
  if (shape > kDay) time[kDay] = 'T';
  text.remove_prefix(shape);
  if (shape == kSecond && text.size() > 1 && text[0] == '.' &&
      text.find_first_not_of("0123456789", 1) == std::string_view::npos) {
    return time + std::string(text);
  }
  if (!text.empty()) return std::nullopt;
  return time += std::string_view("T00:00:00").substr(shape - kDay);
}

// Texts of the same shape, one perhaps cut short; the shorter one is the earlier moment.
bool WrittenBy(std::string_view report_time, std::string_view moment) {
  if (!report_time.empty() && report_time.back() == 'Z') report_time.remove_suffix(1);
  return report_time <= moment;
}

// What a history holds, for people.
struct Extent {
  uint64_t first = 0;
  uint64_t last = 0;
  std::string from;
  std::string to;
};

std::string Missing(const std::string& path, const ReportChoice& choice, const Extent& extent) {
  const std::string held = fmt::format("it holds {} to {}, from {} to {}", extent.first,
                                       extent.last, Printable(extent.from), Printable(extent.to));
  if (choice.kind == ReportChoice::Kind::kNumber)
    return fmt::format("no report {} in {}: {}", choice.number, Printable(path), held);
  return fmt::format("no report in {} was written by {}: {}", Printable(path), choice.time, held);
}

}  // namespace

std::optional<ReportChoice> ParseReportChoice(std::string_view text) {
  ReportChoice choice;
  if (text.empty()) return choice;
  if (text == "peak") {
    choice.kind = ReportChoice::Kind::kPeak;
    return choice;
  }
  const auto [end, failure] =
      std::from_chars(text.data(), text.data() + text.size(), choice.number);
  if (failure == std::errc() && end == text.data() + text.size() && choice.number > 0) {
    choice.kind = ReportChoice::Kind::kNumber;
    return choice;
  }
  std::optional<std::string> time = ParseTime(text);
  if (!time) return std::nullopt;
  choice.kind = ReportChoice::Kind::kTime;
  choice.time = std::move(*time);
  return choice;
}

std::optional<Report> ReadReport(const std::string& path, const ReportChoice& choice,
                                 std::vector<std::string>* notes, std::string* error) {
  if (choice.kind == ReportChoice::Kind::kNewest) return ReadNewestReport(path, notes, error);
  std::optional<Report> best;
  Extent extent;
  std::string instance;
  const bool any = ForEachReport(
      path,
      [&](Report&& report) {
        if (extent.first == 0 || report.sequence <= extent.last || report.instance != instance) {
          // Another process, or another run: what came before is not its history.
          best.reset();
          instance = report.instance;
          extent = {report.sequence, report.sequence, report.time, report.time};
        }
        extent.last = report.sequence;
        extent.to = report.time;
        bool better = false;
        switch (choice.kind) {
          case ReportChoice::Kind::kNewest:
            break;
          case ReportChoice::Kind::kNumber:
            better = report.sequence == choice.number;
            break;
          case ReportChoice::Kind::kTime:
            better = WrittenBy(report.time, choice.time);
            break;
          case ReportChoice::Kind::kPeak:
            better = !best || report.totals.live_bytes > best->totals.live_bytes;
            break;
        }
        if (better) best = std::move(report);
        return true;
      },
      notes, error);
  if (any && !best) *error = Missing(path, choice, extent);
  return best;
}

}  // namespace heapgauge
