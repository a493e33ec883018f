#include <zlib.h>

#include <cstring>
#include <new>
#include <unordered_map>
#include <utility>

#include "report/history_batch.h"
#include "report/history_cells.h"
#include "report/history_layout.h"

namespace heapgauge {
namespace {

constexpr size_t kMostKnownFrames = 2048;

void PutVarint(uint64_t value, std::string* out) {
  while (value >= 0x80) {
    out->push_back(static_cast<char>(value | 0x80));
    value >>= 7;
  }
  out->push_back(static_cast<char>(value));
}

void PutText(std::string_view text, std::string* out) {
  PutVarint(text.size(), out);
  *out += text;
}

template <typename T>
HistoryColumns ColumnsOf() {
  std::vector<std::string> names;
  const T any{};
  VisitCells(any, [&names](const std::string& name, const auto&) { names.push_back(name); });
  return HistoryColumns(std::move(names));
}

bool HasEvidence(const std::string& verdict) { return verdict == "leak" || verdict == "growing"; }

template <typename T>
CellLoss LossOf(std::string_view name) {
  if (!std::is_floating_point_v<T>) return CellLoss::kNone;
  return HistoryColumns::IsRough(name) ? CellLoss::kSome : CellLoss::kLittle;
}

}  // namespace

struct HistoryPacker::State {
  State();

  double Text(const std::string& text);
  double TextOf(const FrameList& frames);
  template <typename T>
  std::vector<Cell> CellsOf(const T& row);
  size_t RowOf(HistoryKind kind, const std::string& id);
  void Places(const Report& report, size_t most_sites);
  void WriteRows(HistoryKind kind, const std::vector<HistoryPlace>& places,
                 const std::vector<std::vector<Cell>>& cells);

  HistoryRows rows[kHistoryKinds];
  std::unordered_map<std::string, size_t> texts;
  struct KnownFrames {
    FrameList frames;  // so that no others take their identity
    double text;
  };
  std::unordered_map<const void*, KnownFrames> known_frames;         // by identity
  std::unordered_map<std::string, size_t> places_of[kHistoryKinds];  // by id
  size_t reports = 0;
  // Each of a kind of its own, for that compresses best: what the reports are made of, how their
  // cells are written, and what fine and rough cells say.
  std::string records;
  std::string marks;
  std::string fine;
  std::string rough;

  // Of the report that is being added.
  std::string new_texts;
  size_t new_text_count = 0;
  std::vector<HistoryPlace> stacks;
  std::vector<size_t> callsite_of;  // of each stack: place from 1, 0: none that is listed
  std::vector<HistoryPlace> callsites;
};

HistoryPacker::State::State() {
  rows[kReportKind].columns = ColumnsOf<Report>();
  rows[kStackKind].columns = ColumnsOf<Site>();
  rows[kCallsiteKind].columns = ColumnsOf<Callsite>();
  rows[kCallsiteKind].like = SameColumns(rows[kCallsiteKind].columns, rows[kStackKind].columns);
  rows[kReportKind].AddRow(0);
  texts.emplace("", 0);
  for (const HistoryRows& of : rows) {
    PutVarint(of.columns.size(), &records);
    for (const std::string& name : of.columns.names()) PutText(name, &records);
  }
}

double HistoryPacker::State::Text(const std::string& text) {
  const auto [found, is_new] = texts.try_emplace(text, texts.size());
  if (is_new) {
    PutText(text, &new_texts);
    ++new_text_count;
  }
  return static_cast<double>(found->second);
}

// Of stacks that earlier reports have shown no text is made.
double HistoryPacker::State::TextOf(const FrameList& frames) {
  if (!frames.is_kept()) return Text(ToText(frames));
  const auto known = known_frames.find(frames.identity());
  if (known != known_frames.end()) return known->second.text;
  const double text = Text(ToText(frames));
  // Stacks of modules that come and go are named anew each time.
  if (known_frames.size() >= kMostKnownFrames) known_frames.clear();
  known_frames.emplace(frames.identity(), KnownFrames{frames, text});
  return text;
}

template <typename T>
std::vector<Cell> HistoryPacker::State::CellsOf(const T& row) {
  std::vector<Cell> cells;
  VisitCells(row, [&](const std::string& name, const auto& member) {
    using Member = std::remove_cvref_t<decltype(member)>;
    constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
    if constexpr (std::same_as<Member, FrameList>) {
      cells.push_back({TextOf(member)});
    } else if constexpr (Texts<Member>) {
      bool left_out = false;
      if constexpr (!std::same_as<T, Report>) left_out = name == "id" || name == "evidence";
      if constexpr (std::same_as<T, Site>) {
        if (name == "evidence" && HasEvidence(row.verdict)) left_out = false;
      } else if constexpr (std::same_as<T, Callsite>) {
        if (name == "evidence" && HasEvidence(row.sum.verdict)) left_out = false;
      }
      cells.push_back({left_out ? 0 : Text(ToText(member))});
    } else if constexpr (std::is_arithmetic_v<Member>) {
      cells.push_back({static_cast<double>(member), LossOf<Member>(name)});
    } else {
      using Value = typename Member::value_type;
      cells.push_back({member ? static_cast<double>(*member) : kNaN, LossOf<Value>(name)});
    }
  });
  return cells;
}

size_t HistoryPacker::State::RowOf(HistoryKind kind, const std::string& id) {
  const auto [found, is_new] = places_of[kind].try_emplace(id, rows[kind].ids.size());
  if (is_new) rows[kind].AddRow(static_cast<size_t>(Text(id)));
  return found->second;
}

void HistoryPacker::State::Places(const Report& report, size_t most_sites) {
  stacks.clear();
  callsites.clear();
  callsite_of.clear();
  std::unordered_map<std::string_view, size_t> callsite_by_stack;
  for (size_t i = 0; i < report.callsites.size(); ++i) {
    for (const std::string& id : report.callsites[i].sites) callsite_by_stack.try_emplace(id, i);
    callsites.push_back({RowOf(kCallsiteKind, report.callsites[i].sum.id)});
  }
  const size_t count = std::min(report.sites.size(), most_sites);
  for (size_t i = 0; i < count; ++i) {
    stacks.push_back({RowOf(kStackKind, report.sites[i].id)});
    const auto found = callsite_by_stack.find(report.sites[i].id);
    const bool is_listed = found != callsite_by_stack.end();
    callsite_of.push_back(is_listed ? found->second + 1 : 0);
    if (is_listed && callsites[found->second].stack == SIZE_MAX) callsites[found->second].stack = i;
  }
}

void HistoryPacker::State::WriteRows(HistoryKind kind, const std::vector<HistoryPlace>& places,
                                     const std::vector<std::vector<Cell>>& cells) {
  HistoryRows& of = rows[kind];
  for (size_t column = 0; column < of.columns.size(); ++column) {
    for (size_t i = 0; i < places.size(); ++i) {
      const CellContext context = ContextOf(of, column, places[i], i, rows[kStackKind], stacks);
      const Cell& cell = cells[i][column];
      of.cells[places[i].row][column] =
          WriteCell(cell.value, cell.loss, context, &marks,
                    HistoryColumns::IsRough(of.columns.names()[column]) ? &rough : &fine);
    }
  }
  for (const HistoryPlace& place : places) of.is_new[place.row] = false;
}

HistoryPacker::HistoryPacker() = default;
HistoryPacker::~HistoryPacker() = default;

void HistoryPacker::Add(const Report& report, size_t most_sites) {
  // Where memory runs out half-way, the batch is lost.
  std::unique_ptr<State> taken = std::move(state_);
  if (taken == nullptr) taken = std::make_unique<State>();
  State& state = *taken;
  state.new_texts.clear();
  state.new_text_count = 0;
  size_t rows_before[kHistoryKinds];
  for (size_t kind = 0; kind < kHistoryKinds; ++kind)
    rows_before[kind] = state.rows[kind].ids.size();
  state.Places(report, most_sites);

  const std::vector<std::vector<Cell>> own = {state.CellsOf(report)};
  std::vector<std::vector<Cell>> stacks;
  std::vector<std::vector<Cell>> callsites;
  for (size_t i = 0; i < state.stacks.size(); ++i) stacks.push_back(state.CellsOf(report.sites[i]));
  for (const Callsite& callsite : report.callsites) callsites.push_back(state.CellsOf(callsite));

  std::string& records = state.records;
  PutVarint(state.new_text_count, &records);
  records += state.new_texts;
  for (const HistoryKind kind : {kStackKind, kCallsiteKind}) {
    const std::vector<size_t>& ids = state.rows[kind].ids;
    PutVarint(ids.size() - rows_before[kind], &records);
    for (size_t i = rows_before[kind]; i < ids.size(); ++i) PutVarint(ids[i], &records);
  }
  PutVarint(state.stacks.size(), &records);
  for (const HistoryPlace& place : state.stacks) PutVarint(place.row, &records);
  for (const size_t callsite : state.callsite_of) PutVarint(callsite, &records);
  PutVarint(state.callsites.size(), &records);
  for (const HistoryPlace& place : state.callsites) PutVarint(place.row, &records);
  state.WriteRows(kReportKind, {HistoryPlace{}}, own);
  state.WriteRows(kStackKind, state.stacks, stacks);
  state.WriteRows(kCallsiteKind, state.callsites, callsites);
  ++state.reports;
  state_ = std::move(taken);
}

size_t HistoryPacker::reports() const { return state_ == nullptr ? 0 : state_->reports; }
size_t HistoryPacker::bytes() const {
  if (state_ == nullptr) return 0;
  return state_->records.size() + state_->marks.size() + state_->fine.size() + state_->rough.size();
}

size_t HistoryPacker::memory_bytes() const {
  if (state_ == nullptr) return 0;
  constexpr size_t kPlace = 96;  // a node of a map, with its text's own words and its block's
  // The texts stand among the records and in their map.
  size_t bytes = HistoryPacker::bytes() + state_->records.size() +
                 (state_->texts.size() + state_->known_frames.size()) * kPlace;
  for (size_t kind = 0; kind < kHistoryKinds; ++kind) {
    const HistoryRows& of = state_->rows[kind];
    bytes += of.ids.size() * (of.columns.size() * sizeof(double) + 2 * kPlace);
  }
  return bytes;
}

std::string HistoryPacker::Take() {
  const std::unique_ptr<State> state = std::move(state_);
  if (state == nullptr) return {};
  std::string plain;
  for (const std::string* part : {&state->records, &state->marks, &state->fine, &state->rough}) {
    PutText(*part, &plain);
  }
  uLongf packed = compressBound(plain.size());
  std::string batch(kHistoryHead + packed, '\0');
  if (compress2(reinterpret_cast<Bytef*>(batch.data() + kHistoryHead), &packed,
                reinterpret_cast<const Bytef*>(plain.data()), plain.size(),
                Z_BEST_COMPRESSION) != Z_OK) {
    throw std::bad_alloc();
  }
  batch.resize(kHistoryHead + packed);
  const uint32_t sizes[] = {static_cast<uint32_t>(packed), static_cast<uint32_t>(plain.size())};
  memcpy(batch.data(), kHistoryMagic, 4);
  memcpy(batch.data() + 4, sizes, sizeof(sizes));
  return batch;
}

}  // namespace heapgauge
