#include "cli/service_graph.h"

#include <algorithm>
#include <cmath>

#include "base/basename.h"
#include "report/call_words.h"
#include "report/units.h"

namespace heapgauge::cli {
namespace {

std::string NameOf(const Report& report) {
  if (!report.service.empty()) return report.service;
  return std::string(Basename(report.exe));
}

}  // namespace

std::string ServiceOf(std::string_view peer) {
  if (const size_t scheme = peer.find("://"); scheme != std::string_view::npos) {
    peer.remove_prefix(scheme + 3);
    peer = peer.substr(0, peer.find('/'));
  }
  const size_t colon = peer.rfind(':');
  if (colon != std::string_view::npos && colon > 0 && colon + 1 < peer.size() &&
      peer.find_first_not_of("0123456789", colon + 1) == std::string_view::npos &&
      peer.find(':') == colon) {
    peer = peer.substr(0, colon);
  }
  return std::string(peer);
}

// Tarjan's, without recursion: the graph may be a chain of any length.
std::vector<std::vector<size_t>> Components(const std::vector<std::vector<size_t>>& next) {
  constexpr size_t kUnseen = SIZE_MAX;
  std::vector<size_t> number(next.size(), kUnseen);
  std::vector<size_t> low(next.size());
  std::vector<bool> waiting(next.size(), false);
  std::vector<size_t> stack;
  std::vector<std::pair<size_t, size_t>> calls;  // a node, and how many of its edges are done
  std::vector<std::vector<size_t>> found;
  size_t count = 0;
  for (size_t root = 0; root < next.size(); ++root) {
    if (number[root] != kUnseen) continue;
    calls.emplace_back(root, 0);
    while (!calls.empty()) {
      const size_t node = calls.back().first;
      if (calls.back().second == 0) {
        number[node] = low[node] = count++;
        stack.push_back(node);
        waiting[node] = true;
      }
      if (calls.back().second < next[node].size()) {
        const size_t to = next[node][calls.back().second++];
        if (number[to] == kUnseen) {
          calls.emplace_back(to, 0);
        } else if (waiting[to]) {
          low[node] = std::min(low[node], number[to]);
        }
        continue;
      }
      calls.pop_back();
      if (!calls.empty()) low[calls.back().first] = std::min(low[calls.back().first], low[node]);
      if (low[node] != number[node]) continue;
      std::vector<size_t> component;
      size_t member;
      do {
        member = stack.back();
        stack.pop_back();
        waiting[member] = false;
        component.push_back(member);
      } while (member != node);
      if (component.size() > 1) found.push_back(std::move(component));
    }
  }
  return found;
}

void ServiceGraph::Span::Add(double time_s) {
  if (last_s < first_s) first_s = time_s;
  last_s = std::max(last_s, time_s);
}

void ServiceGraph::AddPathCircles(const Report& report, bool newest) {
  for (const Circle& circle : report.circles) {
    if (circle.members.empty()) continue;
    FoundCircle& found = by_members_[circle.members];
    found.by_path = true;
    found.now = found.now || newest;
    Circle& to = found.circle;
    to.members = circle.members;
    to.depth = std::max(to.depth, circle.depth);
    if (to.since.empty() || circle.since < to.since) to.since = circle.since;
  }
}

void ServiceGraph::AddProcess(const std::vector<Report>& reports) {
  if (reports.empty()) return;
  const std::string client = NameOf(reports.back());
  services_.insert(client);
  size_t newest = reports.size() - 1;
  if (reports[newest].final && newest > 0) --newest;
  std::map<std::vector<std::string>, double> largest;  // of this process, here and below
  std::map<std::string, double> most_bytes;
  for (size_t i = 0; i < reports.size(); ++i) {
    AddPathCircles(reports[i], i >= newest);
    for (const Circle& circle : reports[i].circles) {
      double& bytes = largest[circle.members];
      bytes = std::max(bytes, circle.in_flight_bytes);
    }
    const double time_s = static_cast<double>(ParseUtc(reports[i].time).value_or(0)) * 1e-3;
    for (const Call& call : reports[i].calls) {
      const std::string server = ServiceOf(call.peer);
      if (server.empty()) continue;
      services_.insert(server);
      Sum& sum = sums_[{client, server}];
      const bool piles = PilesUp(call) && call.in_flight_bytes >= kLeastBytes;
      if (piles) sum.piled.Add(time_s);
      double& most = most_bytes[server];
      most = std::max(most, call.in_flight_bytes);
      if (i != newest) continue;
      sum.piles_now = sum.piles_now || piles;
      sum.call.peer = server;
      sum.call.in_flight_bytes += call.in_flight_bytes;
      sum.call.in_flight_bytes_stderr =
          std::hypot(sum.call.in_flight_bytes_stderr, call.in_flight_bytes_stderr);
      sum.call.in_flight_objects += call.in_flight_objects;
      sum.call.oldest_s = std::max(sum.call.oldest_s, call.oldest_s);
      sum.call.growth_bytes_per_s += call.growth_bytes_per_s;
    }
  }
  for (const auto& [server, bytes] : most_bytes) sums_[{client, server}].most_bytes += bytes;
  for (const auto& [members, bytes] : largest) by_members_[members].circle.in_flight_bytes += bytes;
}

// Whether there was a time at which all calls between the members piled up.
bool ServiceGraph::Overlap(const std::set<std::string>& members) const {
  double first = -1e300;
  double last = 1e300;
  for (const auto& [ends, sum] : sums_) {
    if (sum.piled.last_s < sum.piled.first_s) continue;
    if (members.count(ends.first) == 0 || members.count(ends.second) == 0) continue;
    first = std::max(first, sum.piled.first_s);
    last = std::min(last, sum.piled.last_s);
  }
  return first - kSlackS <= last;
}

void ServiceGraph::FindGrowingCircles() {
  const std::vector<std::string> names(services_.begin(), services_.end());
  const auto number = [&](const std::string& name) {
    return static_cast<size_t>(std::lower_bound(names.begin(), names.end(), name) - names.begin());
  };
  std::vector<std::vector<size_t>> next(names.size());
  for (const auto& [ends, sum] : sums_) {
    // A service that calls itself again waits for itself alone.
    if (sum.piled.last_s < sum.piled.first_s || ends.first == ends.second) continue;
    next[number(ends.first)].push_back(number(ends.second));
  }
  for (const std::vector<size_t>& component : Components(next)) {
    std::set<std::string> members;
    for (const size_t node : component) members.insert(names[node]);
    if (!Overlap(members)) continue;
    FoundCircle& found = by_members_[{members.begin(), members.end()}];
    found.by_growth = true;
    double bytes = 0;
    double most_bytes = 0;
    double since_s = 1e300;
    for (const auto& [ends, sum] : sums_) {
      if (members.count(ends.first) == 0 || members.count(ends.second) == 0) continue;
      if (sum.piled.last_s < sum.piled.first_s) continue;
      bytes += sum.call.in_flight_bytes;
      most_bytes += sum.most_bytes;
      since_s = std::min(since_s, sum.piled.first_s);
    }
    // Full, it grows no more, and still waits.
    found.now = found.now || bytes > kLeftOfCircle * most_bytes;
    if (found.by_path) continue;
    found.circle.members = {members.begin(), members.end()};
    found.circle.in_flight_bytes = bytes;
    found.circle.since = FormatUtc(std::llround(since_s * 1e3));
  }
}

void ServiceGraph::Finish() {
  FindGrowingCircles();
  for (auto& [members, found] : by_members_) circles_.push_back(std::move(found));
  by_members_.clear();
  std::stable_sort(circles_.begin(), circles_.end(), [](const auto& a, const auto& b) {
    return a.circle.in_flight_bytes > b.circle.in_flight_bytes;
  });
  for (auto& [ends, sum] : sums_) {
    Edge& edge = edges_.emplace_back();
    edge.client = ends.first;
    edge.call = sum.call;
    edge.call.peer = ends.second;
    edge.piles_up = sum.piles_now;
    edge.in_circle =
        ends.first != ends.second &&
        std::any_of(circles_.begin(), circles_.end(), [&ends = ends](const FoundCircle& found) {
          const std::vector<std::string>& members = found.circle.members;
          return std::find(members.begin(), members.end(), ends.first) != members.end() &&
                 std::find(members.begin(), members.end(), ends.second) != members.end();
        });
  }
  std::stable_sort(edges_.begin(), edges_.end(), [](const Edge& a, const Edge& b) {
    return a.call.in_flight_bytes > b.call.in_flight_bytes;
  });
}

std::vector<std::string> ServiceGraph::Ends() const {
  std::set<std::string> waited_for;
  for (const Edge& edge : edges_) {
    if (edge.piles_up) waited_for.insert(edge.call.peer);
  }
  for (const Edge& edge : edges_) {
    if (edge.piles_up) waited_for.erase(edge.client);
  }
  return {waited_for.begin(), waited_for.end()};
}

}  // namespace heapgauge::cli
