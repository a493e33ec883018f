#include "cli/edges_formats.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "report/call_words.h"
#include "report/json_text.h"
#include "report/printable.h"
#include "report/text_site.h"
#include "report/text_style.h"
#include "report/units.h"

namespace heapgauge::cli {
namespace {

std::string Quoted(const std::string& name) {
  std::string text = "\"";
  for (const char c : Printable(name)) {
    if (c == '"' || c == '\\') text += '\\';
    text += c;
  }
  return text + '"';
}

std::string ClockOf(const std::string& time) {
  return time.size() < 19 ? Printable(time) : Printable(time.substr(11, 8)) + " UTC";
}

double Fastest(const ServiceGraph& graph) {
  double fastest = 0;
  for (const Edge& edge : graph.edges()) {
    fastest = std::max(fastest, std::fabs(edge.call.growth_bytes_per_s));
  }
  return fastest;
}

// What the graph says where it has no circle.
std::string WithoutCircle(const ServiceGraph& graph) {
  const std::vector<std::string> ends = graph.Ends();
  if (ends.empty()) return "No circle, and no call whose memory piles up.";
  return fmt::format("No circle: memory waits for {}, which {} for nobody.", NamesInWords(ends),
                     ends.size() == 1 ? "waits" : "wait");
}

}  // namespace

std::string CircleLine(const FoundCircle& found) {
  const Circle& circle = found.circle;
  std::string how = found.by_path
                        ? fmt::format("seen in the paths of requests, depth {}", circle.depth)
                        : "by reports alone: memory in flight grows on all its calls together";
  if (found.by_path && found.by_growth) how += "; memory in flight grows on all its calls";
  return fmt::format("{} call each other in a circle since {} ({}; {} in flight{})",
                     NamesInWords(circle.members), ClockOf(circle.since), how,
                     FormatBytes(circle.in_flight_bytes), found.now ? "" : "; it is over");
}

std::string EdgesToText(const ServiceGraph& graph, size_t most, size_t width, bool colour) {
  std::string out;
  for (const FoundCircle& found : graph.circles()) {
    out += Paint(Wrapped("CIRCLE: " + CircleLine(found) + ".", "", width), Ink::kRed, colour);
  }
  if (graph.circles().empty()) out += Wrapped(WithoutCircle(graph), "", width);
  const std::vector<Edge>& edges = graph.edges();
  out +=
      fmt::format("\n{} services, {} calls between them\n", graph.services().size(), edges.size());
  if (edges.empty()) return out;
  const RateUnit unit = ChooseRateUnit(Fastest(graph));
  using Align = Table::Align;
  Table table(
      {Align::kRight, Align::kLeft, Align::kRight, Align::kRight, Align::kLeft, Align::kLeft});
  table.Add({{"in flight", Ink::kDim},
             {"error", Ink::kDim},
             {fmt::format("growth/{}", unit.name), Ink::kDim},
             {"oldest", Ink::kDim},
             {"from -> to", Ink::kDim},
             {}});
  const size_t shown = std::min(edges.size(), most);
  for (size_t i = 0; i < shown; ++i) {
    const Edge& edge = edges[i];
    const Call& call = edge.call;
    table.Add({{FormatBytes(call.in_flight_bytes)},
               {ErrorOf(call.in_flight_bytes_stderr)},
               {FormatSignedBytes(call.growth_bytes_per_s * unit.seconds)},
               {FormatDuration(call.oldest_s)},
               {Printable(edge.client) + " -> " + Printable(call.peer),
                edge.in_circle ? Ink::kRed : Ink::kPlain},
               {edge.in_circle  ? "circle"
                : edge.piles_up ? "does not come back"
                                : ""}});
  }
  out += table.Render("  ", colour);
  if (shown < edges.size()) {
    out += fmt::format("  and {} more: --top 0 shows all\n", edges.size() - shown);
  }
  return out;
}

std::string EdgesToJson(const ServiceGraph& graph) {
  JsonText json;
  json.BeginObject().Add("schema", "heapgauge.edges/1").BeginArray("services");
  for (const std::string& name : graph.services()) json.Element(name);
  json.End().BeginArray("edges");
  for (const Edge& edge : graph.edges()) {
    json.BeginObject()
        .Add("client", edge.client)
        .Add("server", edge.call.peer)
        .Add("in_flight_bytes", edge.call.in_flight_bytes)
        .Add("in_flight_bytes_stderr", edge.call.in_flight_bytes_stderr)
        .Add("in_flight_objects", edge.call.in_flight_objects)
        .Add("oldest_s", edge.call.oldest_s)
        .Add("growth_bytes_per_s", edge.call.growth_bytes_per_s)
        .Add("piles_up", edge.piles_up)
        .Add("in_circle", edge.in_circle)
        .End();
  }
  json.End().BeginArray("circles");
  for (const FoundCircle& found : graph.circles()) {
    json.BeginObject().BeginArray("members");
    for (const std::string& name : found.circle.members) json.Element(name);
    json.End()
        .Add("depth", found.circle.depth)
        .Add("in_flight_bytes", found.circle.in_flight_bytes)
        .Add("since", found.circle.since)
        .Add("by_path", found.by_path)
        .Add("by_growth", found.by_growth)
        .Add("now", found.now)
        .End();
  }
  json.End().BeginArray("waits_for");
  for (const std::string& name : graph.Ends()) json.Element(name);
  json.End().End();
  return json.Take() + "\n";
}

std::string EdgesToDot(const ServiceGraph& graph) {
  std::string out = "digraph services {\n  rankdir=LR;\n  node [shape=box];\n";
  const RateUnit unit = ChooseRateUnit(Fastest(graph));
  for (const std::string& name : graph.services()) {
    const bool in_circle =
        std::any_of(graph.circles().begin(), graph.circles().end(), [&](const FoundCircle& found) {
          const std::vector<std::string>& members = found.circle.members;
          return std::find(members.begin(), members.end(), name) != members.end();
        });
    out += fmt::format("  {}{};\n", Quoted(name), in_circle ? " [color=red]" : "");
  }
  for (const Edge& edge : graph.edges()) {
    std::string label = FormatBytes(edge.call.in_flight_bytes);
    if (edge.piles_up) label += ", " + FormatRate(edge.call.growth_bytes_per_s, unit);
    out += fmt::format("  {} -> {} [label=\"{}\"{}];\n", Quoted(edge.client),
                       Quoted(edge.call.peer), label,
                       edge.in_circle  ? ", color=red, penwidth=2"
                       : edge.piles_up ? ", color=orange"
                                       : "");
  }
  return out + "}\n";
}

}  // namespace heapgauge::cli
