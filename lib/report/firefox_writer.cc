#include "report/firefox_writer.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>

#include "base/basename.h"
#include "report/json_text.h"
#include "report/other_stacks.h"
#include "report/printable.h"
#include "report/stack_table.h"
#include "report/units.h"

namespace heapgauge {
namespace {

constexpr int kFormatVersion = 48;
constexpr int kGeckoVersion = 30;

// Texts once, in the order in which they came.
class Strings final {
 public:
  uint32_t IndexOf(const std::string& text) {
    const auto [at, fresh] = index_.emplace(text, static_cast<uint32_t>(texts_.size()));
    if (fresh) texts_.push_back(text);
    return at->second;
  }
  const std::vector<std::string>& Texts() const { return texts_; }

 private:
  std::vector<std::string> texts_;
  std::map<std::string, uint32_t> index_;
};

// Stacks as the format has them: a tree of frames, each with its caller.
class StackTree final {
 public:
  struct Node {
    std::optional<uint32_t> caller;
    uint32_t frame = 0;
  };

  // The leaf's node.
  uint32_t Add(const StackTable::Stack& stack) {
    std::optional<uint32_t> at;
    for (const uint32_t frame : stack) {
      const auto [place, fresh] = index_.emplace(std::pair(at ? int64_t{*at} : -1, frame),
                                                 static_cast<uint32_t>(nodes_.size()));
      if (fresh) nodes_.push_back({at, frame});
      at = place->second;
    }
    return at.value_or(0);
  }
  const std::vector<Node>& Nodes() const { return nodes_; }

 private:
  std::vector<Node> nodes_;
  std::map<std::pair<int64_t, uint32_t>, uint32_t> index_;
};

struct Row {
  double time_ms = 0;
  uint32_t stack = 0;
  int64_t weight = 0;
  uint64_t address = 0;
};

// A column of the format's tables.
template <typename Rows, typename Value>
void AddColumn(const char* key, const Rows& rows, Value value, JsonText* json) {
  json->BeginArray(key);
  for (const auto& row : rows) json->Element(value(row));
  json->End();
}

std::vector<Row> AllocationRows(const Report& report, const std::vector<uint32_t>& leaves) {
  std::vector<Row> rows;
  const double now_ms = report.uptime_s * 1e3;
  uint64_t address = 0;  // one for each stack's living and one for its dead; the real ones are many
  for (size_t i = 0; i < leaves.size(); ++i) {
    const Site& site = report.sites[i];
    const auto live = static_cast<int64_t>(WholeBytes(site.live_bytes));
    const auto dead = static_cast<int64_t>(WholeBytes(site.freed_bytes));
    const double born_ms = std::max(0.0, now_ms - site.age_p50_s * 1e3);
    if (live > 0) rows.push_back({born_ms, leaves[i], live, address += 16});
    if (dead > 0) {
      address += 16;
      const double lived_ms = site.lifetime_p50_s.value_or(0) * 1e3;
      rows.push_back({std::max(0.0, now_ms - lived_ms), leaves[i], dead, address});
      rows.push_back({now_ms, leaves[i], -dead, address});
    }
  }
  std::stable_sort(rows.begin(), rows.end(),
                   [](const Row& a, const Row& b) { return a.time_ms < b.time_ms; });
  return rows;
}

void AddCounter(const char* name, const char* description, double TrackPoint::*value,
                const Report& report, const std::vector<TrackPoint>& track, JsonText* json) {
  json->BeginObject()
      .Add("name", name)
      .Add("category", "Memory")
      .Add("description", description)
      .Add("pid", std::to_string(report.pid))
      .Add("mainThreadIndex", 0)
      .BeginObject("samples")
      .Add("length", track.size());
  AddColumn(
      "time", track, [](const TrackPoint& point) { return point.uptime_s * 1e3; }, json);
  int64_t before = 0;  // the format wants changes
  AddColumn(
      "count", track,
      [&](const TrackPoint& point) {
        const auto now = static_cast<int64_t>(WholeBytes(point.*value));
        return now - std::exchange(before, now);
      },
      json);
  json->End().End();
}

void AddMeta(const Report& report, JsonText* json) {
  json->BeginObject("meta")
      .Add("interval", 1)
      .Add("startTime", 0)
      .Add("processType", 0)
      .Add("stackwalk", 1)
      .Add("version", kGeckoVersion)
      .Add("preprocessedProfileVersion", kFormatVersion)
      .Add("product", Printable(Basename(report.exe)))
      .Add("importedFrom", "heapgauge")
      .Add("platform", "Linux")
      .Add("oscpu", "Linux")
      .Add("abi", "")
      .Add("misc", "")
      .Add("toolkit", "")
      .Add("symbolicated", true)
      .BeginArray("markerSchema")
      .End();
  json->BeginObject("extensions").Add("length", 0);
  for (const char* key : {"id", "name", "baseURL"}) json->BeginArray(key).End();
  json->End().BeginArray("categories").BeginObject().Add("name", "Other").Add("color", "grey");
  json->BeginArray("subcategories").Element("Other").End().End().End().End();
}

void AddTables(const StackTable& table, const StackTree& tree, JsonText* json) {
  const std::vector<ShownFrame>& frames = table.Frames();
  const auto number = [](const ShownFrame& frame) {
    return frame.line != 0 ? std::optional<uint32_t>(frame.line) : std::nullopt;
  };
  const auto nothing = [](const auto&) { return nullptr; };
  const auto zero = [](const auto&) { return 0; };
  Strings strings;
  json->BeginObject("stackTable").Add("length", tree.Nodes().size());
  AddColumn(
      "prefix", tree.Nodes(), [](const StackTree::Node& node) { return node.caller; }, json);
  AddColumn(
      "frame", tree.Nodes(), [](const StackTree::Node& node) { return node.frame; }, json);
  AddColumn("category", tree.Nodes(), zero, json);
  AddColumn("subcategory", tree.Nodes(), zero, json);
  json->End().BeginObject("frameTable").Add("length", frames.size());
  AddColumn(
      "address", frames, [](const ShownFrame&) { return -1; }, json);
  // Lines of one function are one function, which its first line stands for.
  std::map<std::pair<std::string, std::string>, uint32_t> index;
  std::vector<ShownFrame> functions;
  AddColumn(
      "func", frames,
      [&](const ShownFrame& frame) {
        const auto [at, fresh] = index.emplace(std::pair(frame.name, frame.file),
                                               static_cast<uint32_t>(functions.size()));
        if (fresh) functions.push_back(frame);
        return at->second;
      },
      json);
  AddColumn("line", frames, number, json);
  for (const char* key : {"inlineDepth", "category", "subcategory", "innerWindowID"})
    AddColumn(key, frames, zero, json);
  for (const char* key : {"nativeSymbol", "implementation", "column"})
    AddColumn(key, frames, nothing, json);
  json->End().BeginObject("funcTable").Add("length", functions.size());
  AddColumn(
      "name", functions, [&](const ShownFrame& frame) { return strings.IndexOf(frame.name); },
      json);
  AddColumn(
      "fileName", functions,
      [&](const ShownFrame& frame) {
        return frame.file.empty() ? std::nullopt : std::optional(strings.IndexOf(frame.file));
      },
      json);
  AddColumn("lineNumber", functions, number, json);
  AddColumn(
      "resource", functions, [](const ShownFrame&) { return -1; }, json);
  for (const char* key : {"isJS", "relevantForJS"}) {
    AddColumn(
        key, functions, [](const ShownFrame&) { return false; }, json);
  }
  AddColumn("columnNumber", functions, nothing, json);
  json->End().BeginObject("resourceTable").Add("length", 0);
  for (const char* key : {"lib", "name", "host", "type"}) json->BeginArray(key).End();
  json->End().BeginObject("nativeSymbols").Add("length", 0);
  for (const char* key : {"libIndex", "address", "name", "functionSize"})
    json->BeginArray(key).End();
  json->End();
  AddColumn(
      "stringArray", strings.Texts(), [](const std::string& text) { return text; }, json);
}

void AddThread(const Report& report, JsonText* json) {
  StackTable table;
  StackTree tree;
  std::vector<uint32_t> leaves;
  for (const Site& site : report.sites) leaves.push_back(tree.Add(table.Add(site)));
  const double now_ms = report.uptime_s * 1e3;
  const std::string name = Printable(Basename(report.exe));

  json->BeginObject()
      .Add("processType", "default")
      .Add("processName", name)
      .Add("processStartupTime", 0)
      .Add("processShutdownTime", nullptr)
      .Add("registerTime", 0)
      .Add("unregisterTime", nullptr)
      .BeginArray("pausedRanges")
      .End()
      .Add("name", "live bytes")
      .Add("isMainThread", true)
      .Add("pid", std::to_string(report.pid))
      .Add("tid", report.pid)
      .BeginObject("samples")
      .Add("length", leaves.size())
      .Add("weightType", "bytes");
  AddColumn(
      "stack", leaves, [](uint32_t leaf) { return leaf; }, json);
  AddColumn(
      "time", leaves, [&](uint32_t) { return now_ms; }, json);
  AddColumn(
      "weight", report.sites, [](const Site& site) { return WholeBytes(site.live_bytes); }, json);
  json->End().BeginObject("markers").Add("length", 0);
  for (const char* key : {"category", "data", "endTime", "name", "phase", "startTime"})
    json->BeginArray(key).End();
  json->End();
  const std::vector<Row> rows = AllocationRows(report, leaves);
  json->BeginObject("nativeAllocations").Add("length", rows.size()).Add("weightType", "bytes");
  AddColumn(
      "time", rows, [](const Row& row) { return row.time_ms; }, json);
  AddColumn(
      "weight", rows, [](const Row& row) { return row.weight; }, json);
  AddColumn(
      "stack", rows, [](const Row& row) { return row.stack; }, json);
  AddColumn(
      "memoryAddress", rows, [](const Row& row) { return row.address; }, json);
  AddColumn(
      "threadId", rows, [&](const Row&) { return report.pid; }, json);
  json->End();
  AddTables(table, tree, json);
  json->End();
}

}  // namespace

std::string ToFirefox(const Report& listed, const std::vector<TrackPoint>& track) {
  const Report report = WithOtherStacks(listed);
  JsonText json;
  json.BeginObject();
  AddMeta(report, &json);
  json.BeginArray("libs").End().BeginArray("pages").End().BeginArray("counters");
  AddCounter("live heap", "bytes that the program has not freed", &TrackPoint::live_bytes, report,
             track, &json);
  AddCounter("resident memory", "as the kernel has it", &TrackPoint::rss_bytes, report, track,
             &json);
  json.End().BeginArray("profilerOverhead").End().BeginArray("threads");
  AddThread(report, &json);
  json.End().End();
  return json.Take() + "\n";
}

}  // namespace heapgauge
