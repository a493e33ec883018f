#include "report/pprof_writer.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <iterator>
#include <map>
#include <memory>
#include <protozero/pbf_writer.hpp>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "report/frame_text.h"
#include "report/gzip.h"
#include "report/listed.h"
#include "report/other_stacks.h"
#include "report/printable.h"
#include "report/units.h"

namespace heapgauge {
namespace {

using protozero::pbf_writer;

// Field numbers of profile.proto (github.com/google/pprof/proto).
namespace profile {
enum : uint32_t {
  kSampleType = 1,
  kSample = 2,
  kMapping = 3,
  kLocation = 4,
  kFunction = 5,
  kStringTable = 6,
  kTimeNanos = 9,
  kDurationNanos = 10,
  kPeriodType = 11,
  kPeriod = 12,
  kComment = 13,
  kDefaultSampleType = 14
};
}
namespace value_type {
enum : uint32_t { kType = 1, kUnit = 2 };
}
namespace sample {
enum : uint32_t { kLocationId = 1, kValue = 2, kLabel = 3 };
}
namespace label {
enum : uint32_t { kKey = 1, kStr = 2 };
}
namespace mapping {
enum : uint32_t {
  kId = 1,
  kMemoryStart = 2,
  kMemoryLimit = 3,
  kFilename = 5,
  kBuildId = 6,
  kHasFunctions = 7,
  kHasFilenames = 8,
  kHasLineNumbers = 9,
  kHasInlineFrames = 10
};
}
namespace location {
enum : uint32_t { kId = 1, kMappingId = 2, kAddress = 3, kLine = 4 };
}
namespace line {
enum : uint32_t { kFunctionId = 1, kLine = 2 };
}
namespace function {
enum : uint32_t { kId = 1, kName = 2, kSystemName = 3, kFilename = 4 };
}

constexpr uint64_t kMappingSize = uint64_t{1} << 40;

int64_t Whole(double value) {
  if (!std::isfinite(value)) return 0;
  return std::llround(std::fmin(std::fmax(value, -9e18), 9e18));
}

// Locations are looked up by views: nearly every frame has been met before.
using LocationView = std::tuple<uint64_t, size_t, std::string_view, std::string_view>;
struct LocationOrder {
  using is_transparent = void;
  bool operator()(const LocationView& a, const LocationView& b) const { return a < b; }
};

// Builds the tables that the samples point into.  Ids begin at 1, strings at 0 with "".
class Tables final {
 public:
  explicit Tables(const std::string& exe) {
    String("");
    Module(exe);  // first: pprof takes it for the main program
  }

  int64_t String(const std::string& text) {
    const auto [found, fresh] = strings_.emplace(text, static_cast<int64_t>(string_order_.size()));
    if (fresh) string_order_.push_back(text);
    return found->second;
  }
  int64_t strings() const { return static_cast<int64_t>(string_order_.size()); }

  // One location for frames[begin, end): inlined ones and the function they were inlined into.
  uint64_t Location(const std::vector<Frame>& frames, size_t begin, size_t end) {
    const Frame& outer = frames[end - 1];
    // Where the call site is an inlined frame, the same address is entered further out than
    // elsewhere; where it is all that is known of a stack, without what it was inlined into.
    const LocationView key{outer.module_offset, end - begin, outer.module, outer.function};
    if (const auto known = locations_.find(key); known != locations_.end()) return known->second;
    const uint64_t id = locations_.size() + 1;
    locations_.emplace(key, id);
    const uint64_t module = outer.module.empty() ? 0 : Module(outer.module).id;
    pbf_writer all(location_bytes_);
    pbf_writer writer(all, profile::kLocation);
    writer.add_uint64(location::kId, id);
    writer.add_uint64(location::kMappingId, module);
    writer.add_uint64(location::kAddress, module * kMappingSize + outer.module_offset);
    for (size_t i = begin; i < end; ++i) {
      if (frames[i].function.empty()) continue;
      const uint64_t function = Function(frames[i]);
      pbf_writer line_writer(writer, location::kLine);
      line_writer.add_uint64(line::kFunctionId, function);
      line_writer.add_int64(line::kLine, frames[i].line.value_or(0));
      if (module != 0) Module(outer.module).named = true;
    }
    return id;
  }

  // The locations of a site's stack, from its call site on.
  std::vector<uint64_t> Stack(const Site& site) {
    if (!site.frames.is_kept()) return NewStack(site);
    const auto known = stacks_.find(site.frames.identity());
    if (known != stacks_.end() && known->second.callsite == site.callsite) {
      return known->second.locations;
    }
    KnownStack stack{site.frames, site.callsite, NewStack(site)};
    return stacks_.insert_or_assign(site.frames.identity(), std::move(stack))
        .first->second.locations;
  }

  size_t bytes() const {
    constexpr size_t kNode = 150;  // of a map, with the texts that are its key
    return location_bytes_.size() + function_bytes_.size() +
           kNode * (strings_.size() + string_order_.size() + locations_.size() + functions_.size() +
                    stacks_.size());
  }

  // Everything but the samples; to be called last.  `build_ids`: by module.
  void AppendTo(const TextMap& build_ids, std::string* out) {
    {
      pbf_writer all(*out);
      // By id: readers take the first for the main program.
      std::vector<decltype(modules_)::const_pointer> by_id;
      for (const auto& entry : modules_) by_id.push_back(&entry);
      std::sort(by_id.begin(), by_id.end(),
                [](const auto* a, const auto* b) { return a->second.id < b->second.id; });
      for (const auto* entry : by_id) WriteMapping(*entry, build_ids, &all);
    }
    out->append(location_bytes_).append(function_bytes_);
    pbf_writer all(*out);
    for (const std::string& text : string_order_) all.add_string(profile::kStringTable, text);
  }

 private:
  struct ModuleEntry {
    uint64_t id = 0;
    bool named = false;  // functions of it are known: pprof needn't look for the file
  };

  ModuleEntry& Module(const std::string& path) {
    return modules_.emplace(path, ModuleEntry{modules_.size() + 1, false}).first->second;
  }

  uint64_t Function(const Frame& frame) {
    const std::string file = frame.file ? Printable(*frame.file) : "";
    const auto [found, fresh] =
        functions_.emplace(std::make_pair(frame.function, file), functions_.size() + 1);
    if (fresh) {
      pbf_writer all(function_bytes_);
      pbf_writer writer(all, profile::kFunction);
      writer.add_uint64(function::kId, found->second);
      writer.add_int64(function::kName, String(FullName(frame)));
      writer.add_int64(function::kSystemName, String(Printable(frame.function)));
      writer.add_int64(function::kFilename, String(file));
    }
    return found->second;
  }

  std::vector<uint64_t> NewStack(const Site& site) {
    std::vector<uint64_t> stack;
    for (size_t begin = site.callsite; begin < site.frames.size();) {
      size_t end = begin;
      while (end + 1 < site.frames.size() && site.frames[end].inlined) ++end;
      stack.push_back(Location(site.frames, begin, ++end));
      begin = end;
    }
    return stack;
  }

  void WriteMapping(const std::pair<const std::string, ModuleEntry>& entry,
                    const TextMap& build_ids, pbf_writer* all) {
    const auto& [path, module] = entry;
    const auto build_id = build_ids.find(path);
    pbf_writer writer(*all, profile::kMapping);
    writer.add_uint64(mapping::kId, module.id);
    writer.add_uint64(mapping::kMemoryStart, module.id * kMappingSize);
    writer.add_uint64(mapping::kMemoryLimit, (module.id + 1) * kMappingSize);
    writer.add_int64(mapping::kFilename, String(Printable(path)));
    if (build_id != build_ids.end())
      writer.add_int64(mapping::kBuildId, String(Printable(build_id->second)));
    for (const uint32_t has : {mapping::kHasFunctions, mapping::kHasFilenames,
                               mapping::kHasLineNumbers, mapping::kHasInlineFrames}) {
      writer.add_bool(has, module.named);
    }
  }

  struct KnownStack {
    FrameList frames;  // so that no others take their identity
    uint32_t callsite;
    std::vector<uint64_t> locations;
  };

  std::unordered_map<const void*, KnownStack> stacks_;  // kept ones, by identity
  std::unordered_map<std::string, int64_t> strings_;
  std::vector<std::string> string_order_;
  std::map<std::string, ModuleEntry> modules_;
  std::map<std::tuple<uint64_t, size_t, std::string, std::string>, uint64_t, LocationOrder>
      locations_;
  std::map<std::pair<std::string, std::string>, uint64_t> functions_;
  std::string location_bytes_;
  std::string function_bytes_;
};

void WriteValueType(pbf_writer* all, uint32_t field, int64_t type, int64_t unit) {
  pbf_writer writer(*all, field);
  writer.add_int64(value_type::kType, type);
  writer.add_int64(value_type::kUnit, unit);
}

constexpr size_t kValues = 5;

void WriteValues(const Site& site, const TextMap& labels, const int64_t (&values)[kValues],
                 Tables* tables, pbf_writer* all) {
  if (std::all_of(std::begin(values), std::end(values), [](int64_t value) { return value == 0; }))
    return;
  const std::vector<uint64_t> stack = tables->Stack(site);
  pbf_writer writer(*all, profile::kSample);
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

void WriteSample(const Site& site, PprofKind kind, Tables* tables, pbf_writer* all) {
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

void WriteSamples(const Report& report, PprofKind kind, Tables* tables, std::string* out) {
  pbf_writer all(*out);
  const int64_t count = tables->String("count");
  const int64_t bytes = tables->String("bytes");
  const int64_t alloc_space = tables->String("alloc_space");
  const int64_t inuse_space = tables->String("inuse_space");
  WriteValueType(&all, profile::kSampleType, tables->String("alloc_objects"), count);
  WriteValueType(&all, profile::kSampleType, alloc_space, bytes);
  WriteValueType(&all, profile::kSampleType, tables->String("inuse_objects"), count);
  WriteValueType(&all, profile::kSampleType, inuse_space, bytes);
  WriteValueType(&all, profile::kSampleType, tables->String("growth_space"), bytes);
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
void WriteHead(const Report& report, PprofKind kind, Tables* tables,
               const std::vector<int64_t>& comments, std::string* out) {
  pbf_writer all(*out);
  // A time that nanoseconds do not reach, after the year 2262, is written as none.
  int64_t time_ns;
  if (__builtin_mul_overflow(ParseUtc(report.time).value_or(0), 1'000'000, &time_ns)) time_ns = 0;
  all.add_int64(profile::kTimeNanos, time_ns);
  all.add_int64(profile::kDurationNanos, Whole(report.uptime_s * 1e9));
  WriteValueType(&all, profile::kPeriodType, tables->String("space"), tables->String("bytes"));
  all.add_int64(profile::kPeriod, static_cast<int64_t>(report.sampling.interval_bytes));
  for (const int64_t comment : comments) all.add_int64(profile::kComment, comment);
  all.add_int64(profile::kDefaultSampleType,
                tables->String(kind == PprofKind::kAllocs ? "alloc_space" : "inuse_space"));
}

}  // namespace

std::string ToPprofProto(const Report& report, PprofKind kind) {
  Tables tables(report.exe);
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
  Tables tables;
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
    pbf_writer(rest).add_string(profile::kStringTable, comment);
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
