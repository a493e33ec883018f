#include <zlib.h>

#include <cstring>
#include <utility>

#include "report/history_batch.h"
#include "report/history_cells.h"
#include "report/history_layout.h"

namespace heapgauge {
namespace {

// More than any packer has; what a stranger wrote must not cost more than a packer's.
constexpr size_t kMostColumns = 256;
constexpr size_t kMostRows = size_t{1} << 16;
constexpr size_t kMostPlaces = 4096;                 // of a report
constexpr size_t kMostTextBytes = size_t{64} << 20;  // of a report

// Reads what may be damaged: what runs over the end is not sound, and gives zeros.
class Source final {
 public:
  explicit Source(std::string_view rest) : rest_(rest) {}

  uint64_t Varint() {
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      if (rest_.empty()) return Fail();
      const auto byte = static_cast<uint8_t>(rest_.front());
      rest_.remove_prefix(1);
      value |= static_cast<uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    return Fail();
  }
  // Of things that take a byte at least.
  size_t Count(size_t most = SIZE_MAX) {
    const uint64_t count = Varint();
    return count <= rest_.size() && count <= most ? count : Fail();
  }
  size_t Below(size_t limit) {
    const uint64_t value = Varint();
    return value < limit ? value : Fail();
  }
  std::string_view Bytes(size_t count) {
    if (count > rest_.size()) count = Fail();
    const std::string_view bytes = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return bytes;
  }
  std::string_view Text() { return Bytes(Count()); }
  bool AtEnd() const { return rest_.empty(); }
  bool sound() const { return sound_; }

 private:
  size_t Fail() {
    sound_ = false;
    rest_ = {};
    return 0;
  }
  std::string_view rest_;
  bool sound_ = true;
};

class Unpacker final {
 public:
  // In the order of the packer's.
  explicit Unpacker(Source plain)
      : source_(plain.Text()), marks_(plain.Text()), fine_(plain.Text()), rough_(plain.Text()) {
    for (HistoryRows& of : rows_) {
      std::vector<std::string> names;
      for (size_t count = source_.Count(kMostColumns); count > 0; --count)
        names.emplace_back(source_.Text());
      of.columns = HistoryColumns(std::move(names));
    }
    rows_[kCallsiteKind].like =
        SameColumns(rows_[kCallsiteKind].columns, rows_[kStackKind].columns);
    rows_[kReportKind].AddRow(0);
    texts_.emplace_back();
  }

  bool AtEnd() const { return source_.AtEnd(); }

  // False: not sound.
  bool Next(Report* report) {
    for (size_t count = source_.Count(); count > 0; --count) texts_.emplace_back(source_.Text());
    for (const HistoryKind kind : {kStackKind, kCallsiteKind}) {
      const size_t room = kMostRows - rows_[kind].ids.size();
      for (size_t count = source_.Count(room); count > 0; --count) {
        rows_[kind].AddRow(source_.Below(texts_.size()));
      }
    }
    stacks_ = ReadPlaces(kStackKind);
    std::vector<size_t> callsite_of;
    for (size_t i = 0; i < stacks_.size(); ++i) callsite_of.push_back(source_.Varint());
    callsites_ = ReadPlaces(kCallsiteKind);
    for (size_t i = 0; i < stacks_.size(); ++i) {
      if (callsite_of[i] > callsites_.size()) return false;
      if (callsite_of[i] == 0) continue;
      HistoryPlace& place = callsites_[callsite_of[i] - 1];
      if (place.stack == SIZE_MAX) place.stack = i;
    }
    const size_t cells = rows_[kReportKind].columns.size() +
                         stacks_.size() * rows_[kStackKind].columns.size() +
                         callsites_.size() * rows_[kCallsiteKind].columns.size();
    if (!source_.sound() || marks_.size() < cells || !ReadRows(kReportKind, {HistoryPlace{}}) ||
        !ReadRows(kStackKind, stacks_) || !ReadRows(kCallsiteKind, callsites_)) {
      return false;
    }
    text_bytes_ = 0;
    Fill(kReportKind, 0, *report);
    report->sites.resize(stacks_.size());
    report->callsites.resize(callsites_.size());
    for (size_t i = 0; i < callsites_.size(); ++i) {
      Fill(kCallsiteKind, callsites_[i].row, report->callsites[i]);
      report->callsites[i].sum.id = IdOf(kCallsiteKind, callsites_[i].row);
    }
    for (size_t i = 0; i < stacks_.size(); ++i) {
      Fill(kStackKind, stacks_[i].row, report->sites[i]);
      report->sites[i].id = IdOf(kStackKind, stacks_[i].row);
      if (callsite_of[i] == 0) continue;
      report->callsites[callsite_of[i] - 1].sites.push_back(report->sites[i].id);
    }
    return true;
  }

 private:
  std::vector<HistoryPlace> ReadPlaces(HistoryKind kind) {
    std::vector<HistoryPlace> places;
    for (size_t count = source_.Count(kMostPlaces); count > 0; --count) {
      places.push_back({source_.Below(rows_[kind].ids.size())});
    }
    return places;
  }

  bool ReadRows(HistoryKind kind, const std::vector<HistoryPlace>& places) {
    HistoryRows& of = rows_[kind];
    for (size_t column = 0; column < of.columns.size(); ++column) {
      for (size_t i = 0; i < places.size(); ++i) {
        const CellContext context = ContextOf(of, column, places[i], i, rows_[kStackKind], stacks_);
        const auto mark = static_cast<uint8_t>(marks_.front());
        marks_.remove_prefix(1);
        const bool is_rough = HistoryColumns::IsRough(of.columns.names()[column]);
        const std::optional<double> value = ReadCell(mark, context, is_rough ? &rough_ : &fine_);
        if (!value) return false;
        of.cells[places[i].row][column] = *value;
      }
    }
    for (const HistoryPlace& place : places) of.is_new[place.row] = false;
    return true;
  }

  const std::string& TextAt(double place) const {
    const bool sound = place >= 0 && place < static_cast<double>(texts_.size());
    return texts_[sound ? static_cast<size_t>(place) : 0];
  }
  const std::string& IdOf(HistoryKind kind, size_t row) const {
    return texts_[rows_[kind].ids[row]];
  }

  template <typename T>
  static T Whole(double value) {
    constexpr double kMost = 9007199254740992.0;  // 2^53
    const double least = std::is_signed_v<T> ? -kMost : 0;
    const double most = std::min(kMost, static_cast<double>(std::numeric_limits<T>::max()));
    return std::isnan(value) ? T{} : static_cast<T>(std::clamp(value, least, most));
  }
  template <typename T>
  static T Number(double value) {
    if constexpr (std::same_as<T, bool>) {
      return value != 0;
    } else if constexpr (std::is_floating_point_v<T>) {
      return value;
    } else {
      return Whole<T>(value);
    }
  }

  template <typename T>
  void Fill(HistoryKind kind, size_t row, T& target) {
    const HistoryColumns& columns = rows_[kind].columns;
    const std::vector<double>& cells = rows_[kind].cells[row];
    size_t next = 0;  // as a rule the columns are the same
    VisitCells(target, [&](const std::string& name, auto& member) {
      size_t column =
          next < columns.size() && columns.names()[next] == name ? next : columns.Find(name);
      if (column == HistoryColumns::kNone) return;
      next = column + 1;
      using Member = std::remove_cvref_t<decltype(member)>;
      if constexpr (Texts<Member>) {
        const std::string& text = TextAt(cells[column]);
        text_bytes_ += text.size();
        if (text_bytes_ <= kMostTextBytes) FromText(text, &member);
      } else if constexpr (std::is_arithmetic_v<Member>) {
        member = Number<Member>(cells[column]);
      } else if (!std::isnan(cells[column])) {
        member = Number<typename Member::value_type>(cells[column]);
      }
    });
  }

  Source source_;
  std::string_view marks_;
  std::string_view fine_;
  std::string_view rough_;
  HistoryRows rows_[kHistoryKinds];
  std::vector<std::string> texts_;
  size_t text_bytes_ = 0;  // of the report that is being read, as often as they stand in it
  std::vector<HistoryPlace> stacks_;
  std::vector<HistoryPlace> callsites_;
};

}  // namespace

bool UnpackHistory(std::string_view batch, const std::function<bool(Report&&)>& visit,
                   std::string* error) {
  uint32_t sizes[2] = {};
  if (batch.size() >= kHistoryHead) memcpy(sizes, batch.data() + 4, sizeof(sizes));
  if (!batch.starts_with(kHistoryMagic) || batch.size() != kHistoryHead + sizes[0] ||
      sizes[1] > kMostHistoryBatch) {
    *error = "no batch of reports";
    return false;
  }
  std::string plain(sizes[1], '\0');
  uLongf size = plain.size();
  const auto* const packed = reinterpret_cast<const Bytef*>(batch.data() + kHistoryHead);
  if (uncompress(reinterpret_cast<Bytef*>(plain.data()), &size, packed, sizes[0]) != Z_OK ||
      size != plain.size()) {
    *error = "a batch of reports is damaged";
    return false;
  }
  Unpacker unpacker{Source(plain)};
  while (!unpacker.AtEnd()) {
    Report report;
    if (!unpacker.Next(&report)) {
      *error = "a batch of reports is not sound";
      return false;
    }
    if (!visit(std::move(report))) return true;
  }
  return true;
}

}  // namespace heapgauge
