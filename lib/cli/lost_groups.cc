#include "cli/lost_groups.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <tuple>

#include "base/basename.h"
#include "base/name_hash.h"
#include "report/callsite.h"
#include "report/frame_text.h"
#include "report/sarif_writer.h"

namespace heapgauge::cli {
namespace {

constexpr uint32_t kNobody = ~uint32_t{0};

struct Graph {
  std::vector<uint32_t> site;
  std::vector<double> bytes;
  std::vector<std::vector<uint32_t>> to;
  std::vector<std::vector<uint32_t>> from;
  size_t size() const { return site.size(); }
};

bool TakeNumber(std::string_view* line, uint64_t* number) {
  while (line->starts_with(' ')) line->remove_prefix(1);
  const auto [end, problem] = std::from_chars(line->data(), line->data() + line->size(), *number);
  if (problem != std::errc()) return false;
  line->remove_prefix(static_cast<size_t>(end - line->data()));
  return true;
}

std::optional<Graph> ReadGraph(std::string_view text, size_t sites) {
  Graph graph;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    if (end == std::string_view::npos) return std::nullopt;
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 1);
    uint64_t site = 0;
    uint64_t bytes = 0;
    if (!TakeNumber(&line, &site) || !TakeNumber(&line, &bytes) || site >= sites) {
      return std::nullopt;
    }
    graph.site.push_back(static_cast<uint32_t>(site));
    graph.bytes.push_back(static_cast<double>(bytes));
    std::vector<uint32_t>& to = graph.to.emplace_back();
    for (uint64_t target = 0; TakeNumber(&line, &target);) {
      to.push_back(static_cast<uint32_t>(target));
    }
    if (!line.empty()) return std::nullopt;
  }
  graph.from.resize(graph.size());
  for (uint32_t block = 0; block < graph.size(); ++block) {
    for (const uint32_t target : graph.to[block]) {
      if (target >= graph.size()) return std::nullopt;
      graph.from[target].push_back(block);
    }
  }
  return graph;
}

// Gives `owner` to all that `first` leads to and that has none; returns those, `first` ahead.
std::vector<uint32_t> Flood(const std::vector<std::vector<uint32_t>>& to, uint32_t first,
                            uint32_t owner, std::vector<uint32_t>* owners) {
  std::vector<uint32_t> reached = {first};
  (*owners)[first] = owner;
  for (size_t i = 0; i < reached.size(); ++i) {
    for (const uint32_t target : to[reached[i]]) {
      if ((*owners)[target] != kNobody) continue;
      (*owners)[target] = owner;
      reached.push_back(target);
    }
  }
  return reached;
}

// Those that nobody owns, each behind all that it leads to: the last one lies in a ring that nothing
// else points to.
std::vector<uint32_t> FinishOrder(const Graph& graph, const std::vector<uint32_t>& owners) {
  std::vector<uint32_t> order;
  std::vector<char> seen(graph.size());
  std::vector<std::pair<uint32_t, size_t>> way;
  for (uint32_t first = 0; first < graph.size(); ++first) {
    if (owners[first] != kNobody || seen[first] != 0) continue;
    seen[first] = 1;
    way.emplace_back(first, 0);
    while (!way.empty()) {
      auto& [block, next] = way.back();
      if (next == graph.to[block].size()) {
        order.push_back(block);
        way.pop_back();
        continue;
      }
      const uint32_t target = graph.to[block][next++];
      if (owners[target] != kNobody || seen[target] != 0) continue;
      seen[target] = 1;
      way.emplace_back(target, 0);
    }
  }
  return order;
}

// Of what `leader` leads to, the part that leads back to it.  `back`: all zero, and so again.
std::vector<uint32_t> RingOf(const Graph& graph, uint32_t leader,
                             const std::vector<uint32_t>& reached, std::vector<uint32_t>* back) {
  for (const uint32_t block : reached) (*back)[block] = kNobody;
  std::vector<uint32_t> ring = Flood(graph.from, leader, 1, back);
  for (const uint32_t block : reached) (*back)[block] = 0;
  std::sort(ring.begin(), ring.end());
  return ring;
}

class Adder final {
 public:
  Adder(const Report& report, const Graph& graph, CheckResult* result)
      : report_(report), graph_(graph), result_(result) {}

  void Add(uint32_t leader, const std::vector<uint32_t>& ring,
           const std::vector<uint32_t>& reached) {
    const bool is_ring = ring.size() > 1;
    LostGroup& group = GroupOf(report_.sites[graph_.site[leader]], is_ring);
    for (const uint32_t block : reached) {
      const bool direct = std::binary_search(ring.begin(), ring.end(), block);
      LostSum& sum = direct ? group.direct : group.indirect;
      AddTo(&sum, block);
      AddTo(&result_->lost, block);
      if (block == leader && !is_ring) continue;
      const Site& site = report_.sites[graph_.site[block]];
      AddTo(&group.members[PlaceName(site.frames, site.callsite)], block);
    }
  }

 private:
  void AddTo(LostSum* sum, uint32_t block) const {
    ++sum->objects;
    sum->bytes += graph_.bytes[block];
  }

  LostGroup& GroupOf(const Site& site, bool is_ring) {
    const auto same = [&](const LostGroup& group) {
      if (group.is_ring != is_ring) return false;
      if (site.callsite >= site.frames.size() || group.callsite >= group.frames.size()) {
        return site.callsite >= site.frames.size() && group.callsite >= group.frames.size();
      }
      const Frame& a = site.frames[site.callsite];
      const Frame& b = group.frames[group.callsite];
      const bool lines = a.file && a.line;
      return a.function == b.function && a.file == b.file && a.line == b.line &&
             (lines || (a.module == b.module && a.module_offset == b.module_offset));
    };
    const auto found = std::find_if(result_->groups.begin(), result_->groups.end(), same);
    if (found != result_->groups.end()) return *found;
    LostGroup& group = result_->groups.emplace_back();
    group.is_ring = is_ring;
    group.frames = site.frames;
    group.callsite = site.callsite;
    return group;
  }

  const Report& report_;
  const Graph& graph_;
  CheckResult* result_;
};

}  // namespace

std::string PlaceName(const std::vector<Frame>& frames, uint32_t callsite) {
  if (callsite >= frames.size()) return "an unknown place";
  const Frame& frame = frames[callsite];
  const std::string line = FileAndLine(frame, false);
  return ShortFunction(frame) + (line.empty() ? "" : " (" + line + ")");
}

bool AddLost(const Report& report, std::string_view text, Suppressions* suppressions,
             CheckResult* result) {
  const std::optional<Graph> graph = ReadGraph(text, report.sites.size());
  if (!graph) return false;
  const LostSum before = result->lost;
  std::vector<uint32_t> owners(graph->size(), kNobody);
  std::vector<std::optional<size_t>> rules;
  for (const Site& site : report.sites) rules.push_back(suppressions->Match(site.frames));
  for (uint32_t block = 0; block < graph->size(); ++block) {
    const std::optional<size_t>& rule = rules[graph->site[block]];
    if (!rule) continue;
    suppressions->Count(*rule, graph->bytes[block]);
    if (owners[block] != kNobody) continue;
    for (const uint32_t gone : Flood(graph->to, block, block, &owners)) {
      ++result->suppressed.objects;
      result->suppressed.bytes += graph->bytes[gone];
    }
  }
  Adder adder(report, *graph, result);
  for (uint32_t block = 0; block < graph->size(); ++block) {
    if (owners[block] != kNobody || !graph->from[block].empty()) continue;
    adder.Add(block, {block}, Flood(graph->to, block, block, &owners));
  }
  std::vector<uint32_t> back(graph->size(), 0);
  const std::vector<uint32_t> order = FinishOrder(*graph, owners);
  for (size_t i = order.size(); i > 0; --i) {
    const uint32_t leader = order[i - 1];
    if (owners[leader] != kNobody) continue;
    const std::vector<uint32_t> reached = Flood(graph->to, leader, leader, &owners);
    adder.Add(leader, RingOf(*graph, leader, reached, &back), reached);
  }
  LostProcess& process = result->processes.emplace_back();
  process.pid = report.pid;
  process.exe = report.exe;
  process.checked = {static_cast<uint64_t>(report.totals.live_objects), report.totals.live_bytes};
  process.lost = {result->lost.objects - before.objects, result->lost.bytes - before.bytes};
  process.dropped = report.sampling.dropped;
  return true;
}

void FinishGroups(const std::string& source_root, CheckResult* result) {
  std::vector<LostGroup>& groups = result->groups;
  std::stable_sort(groups.begin(), groups.end(), [](const LostGroup& a, const LostGroup& b) {
    return a.direct.bytes + a.indirect.bytes > b.direct.bytes + b.indirect.bytes;
  });
  // Of each function, in the order of lines: the first, the second, ...
  std::map<std::string, std::vector<std::tuple<uint32_t, uint64_t, size_t>>> of_function;
  for (size_t i = 0; i < groups.size(); ++i) {
    const LostGroup& group = groups[i];
    const Frame& frame = CallsiteFrame(group.frames, group.callsite);
    const std::string place =
        frame.file ? RelativeTo(source_root, *frame.file) : std::string(Basename(frame.module));
    of_function[frame.function + "\n" + place].emplace_back(frame.line.value_or(0),
                                                            frame.module_offset, i);
  }
  for (auto& [name, members] : of_function) {
    std::sort(members.begin(), members.end());
    const uint64_t hash = NameHash(name);
    for (size_t nth = 0; nth < members.size(); ++nth) {
      groups[std::get<2>(members[nth])].id =
          fmt::format("{:016x}", hash + 0x9E3779B97F4A7C15 * nth);
    }
  }
}

}  // namespace heapgauge::cli
