#include "report/pprof_writer.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <iterator>
#include <memory>
#include <protozero/pbf_writer.hpp>
#include <string_view>
#include <vector>

#include "report/gzip.h"
#include "report/listed.h"
#include "report/other_stacks.h"
#include "report/pprof_tables.h"
#include "report/printable.h"
#include "report/units.h"

namespace heapgauge {
namespace {

using protozero::pbf_writer;

// Field numbers of profile.proto (github.com/google/pprof/proto).
namespace value_type {
enum : uint32_t { kType = 1, kUnit = 2 };
}
namespace sample {
enum : uint32_t { kLocationId = 1, kValue = 2, kLabel = 3 };
}
namespace label {
enum : uint32_t { kKey = 1, kStr = 2 };
}

int64_t Whole(double value) {
  if (!std::isfinite(value)) return 0;
  return std::llround(std::fmin(std::fmax(value, -9e18), 9e18));
}

void WriteValueType(pbf_writer* all, uint32_t field, int64_t type, int64_t unit) {
  pbf_writer writer(*all, field);
  writer.add_int64(value_type::kType, type);
  writer.add_int64(value_type::kUnit, unit);
}

constexpr size_t kValues = 5;

void WriteValues(const Site& site, const TextMap& labels, const int64_t (&values)[kValues],
                 PprofTables* tables, pbf_writer* all) {
  if (std::all_of(std::begin(values), std::end(values), [](int64_t value) { return value == 0; }))
    return;
  const std::vector<uint64_t> stack = tables->Stack(site);
  pbf_writer writer(*all, pprof_field::kSample);
  writer.add_packed_uint64(sample::kLocationId, stack.begin(), stack.end());
  writer.add_packed_int64(sample::kValue, std::begin(values), std::end(values));
  for (const auto& [key, value] : labels) {
    const int64_t key_index = tables->String(Printable(key));
    const int64_t value_index = tables->String(Printable(value));
    pbf_writer label_writer(writer, sample::kLabel);
    label_writer.add_int64(label::kKey, key_index);
    label_writer.add_int64(label::kStr, value_index);
  }
}

void WriteSample(const Site& site, PprofKind kind, PprofTables* tables, pbf_writer* all) {
  const double grown =
      kind == PprofKind::kDifference ? site.growth_bytes : std::fmax(site.growth_bytes, 0);
  int64_t values[kValues] = {Whole(site.allocated_objects), Whole(site.allocated_bytes),
                             Whole(site.live_objects), Whole(site.live_bytes), Whole(grown)};
  if (site.by_labels.empty()) return WriteValues(site, site.labels, values, tables, all);
  // By labels only what is alive is known; the rest of the site has none.
  for (const LabelShare& share : site.by_labels) {
    const int64_t part[kValues] = {0, 0, Whole(std::fmax(share.live_objects, 0)),
                                   Whole(std::fmax(share.live_bytes, 0)), 0};
    for (const int i : {2, 3}) values[i] = std::max<int64_t>(values[i], part[i]) - part[i];
    WriteValues(site, share.labels, part, tables, all);
  }
  WriteValues(site, {}, values, tables, all);
}

Site SiteOf(const CallsiteRest& rest) {
  Site site;
  static_cast<HeapFigures&>(site) = rest.figures;
  std::vector<Frame> frames = {rest.frame, OtherStacksFrame()};
  frames.front().inlined = false;
  site.frames = std::move(frames);
  return site;
}

void WriteSamples(const Report& report, PprofKind kind, PprofTables* tables, std::string* out) {
  pbf_writer all(*out);
  const int64_t count = tables->String("count");
  const int64_t bytes = tables->String("bytes");
  const int64_t alloc_space = tables->String("alloc_space");
  const int64_t inuse_space = tables->String("inuse_space");
  WriteValueType(&all, pprof_field::kSampleType, tables->String("alloc_objects"), count);
  WriteValueType(&all, pprof_field::kSampleType, alloc_space, bytes);
  WriteValueType(&all, pprof_field::kSampleType, tables->String("inuse_objects"), count);
  WriteValueType(&all, pprof_field::kSampleType, inuse_space, bytes);
  WriteValueType(&all, pprof_field::kSampleType, tables->String("growth_space"), bytes);
  for (const Site& site : report.sites) WriteSample(site, kind, tables, &all);
  for (const CallsiteRest& rest : report.rest) WriteSample(SiteOf(rest), kind, tables, &all);
  if (const auto others = OtherStacks(report)) WriteSample(*others, kind, tables, &all);
}

std::vector<std::string> CommentsOn(const Report& report) {
  std::vector<std::string> comments = {
      fmt::format("heapgauge: pid {} on {}, verdict {}", report.pid, report.host, report.verdict)};
  if (!report.evidence.empty()) comments.push_back(report.evidence);
  if (report.sites.size() < report.sites_total) {
    comments.push_back(ListedText(report.sites.size(), report.sites_total,
                                  ShareOfLive(report, report.sites), "stacks"));
  }
  for (std::string& comment : comments) comment = Printable(comment);
  return comments;
}

// When it was made and how, and its comments: texts at these places.
void WriteHead(const Report& report, PprofKind kind, PprofTables* tables,
               const std::vector<int64_t>& comments, std::string* out) {
  pbf_writer all(*out);
  // A time that nanoseconds do not reach, after the year 2262, is written as none.
  int64_t time_ns;
  if (__builtin_mul_overflow(ParseUtc(report.time).value_or(0), 1'000'000, &time_ns)) time_ns = 0;
  all.add_int64(pprof_field::kTimeNanos, time_ns);
  all.add_int64(pprof_field::kDurationNanos, Whole(report.uptime_s * 1e9));
  WriteValueType(&all, pprof_field::kPeriodType, tables->String("space"), tables->String("bytes"));
  all.add_int64(pprof_field::kPeriod, static_cast<int64_t>(report.sampling.interval_bytes));
  for (const int64_t comment : comments) all.add_int64(pprof_field::kComment, comment);
  all.add_int64(pprof_field::kDefaultSampleType,
                tables->String(kind == PprofKind::kAllocs ? "alloc_space" : "inuse_space"));
}

}  // namespace

std::string ToPprofProto(const Report& report, PprofKind kind) {
  PprofTables tables(report.exe);
  std::string out;
  WriteSamples(report, kind, &tables, &out);
  tables.String("space");
  std::vector<int64_t> comments;
  for (const std::string& comment : CommentsOn(report)) comments.push_back(tables.String(comment));
  WriteHead(report, kind, &tables, comments, &out);
  tables.AppendTo(report.modules, &out);
  return out;
}

std::string ToPprof(const Report& report, PprofKind kind) {
  return Gzip(ToPprofProto(report, kind));
}

struct PprofSeries::State {
  explicit State(const std::string& program) : exe(program), tables(program) {
    tables.String("space");  // of WriteHead()
  }
  std::string exe;
  PprofTables tables;
  GzipBeginning beginning;
  size_t least_bytes = 0;  // of the tables after their first report
};

PprofSeries::PprofSeries() = default;
PprofSeries::~PprofSeries() = default;

std::string PprofSeries::Next(const Report& report) {
  // Where memory runs out half-way, the tables are lost.
  std::unique_ptr<State> state = std::move(state_);
  constexpr size_t kFew = 64 * 1024;
  if (state == nullptr || state->exe != report.exe ||
      state->tables.bytes() > kFew + 2 * state->least_bytes) {
    state = std::make_unique<State>(report.exe);
  }
  std::string samples;
  WriteSamples(report, PprofKind::kHeap, &state->tables, &samples);
  std::string tables;
  state->tables.AppendTo(report.modules, &tables);
  // Of this report alone, so behind the texts that stay.
  std::vector<int64_t> places;
  std::string rest;
  for (const std::string& comment : CommentsOn(report)) {
    places.push_back(state->tables.strings() + static_cast<int64_t>(places.size()));
    pbf_writer(rest).add_string(pprof_field::kStringTable, comment);
  }
  WriteHead(report, PprofKind::kHeap, &state->tables, places, &rest);
  rest += samples;
  std::string packed;
  if (state->least_bytes == 0) {  // the only one, perhaps
    state->least_bytes = state->tables.bytes();
    packed = Gzip(tables + rest);
  } else {
    state->beginning.Set(std::move(tables));
    packed = state->beginning.With(rest);
  }
  state_ = std::move(state);
  return packed;
}

size_t PprofSeries::memory_bytes() const {
  return state_ == nullptr ? 0 : state_->tables.bytes() + state_->beginning.memory_bytes();
}

}  // namespace heapgauge
