#include "page/page_json.h"

#include <fmt/core.h>

#include <algorithm>
#include <set>
#include <utility>

#include "base/basename.h"
#include "heapgauge/heapgauge.h"
#include "report/frame_text.h"
#include "report/json_text.h"
#include "report/json_writer.h"
#include "report/printable.h"
#include "report/stack_table.h"
#include "report/text_held.h"
#include "report/time_left.h"

namespace heapgauge {
namespace {

// The report without its stacks, which the page has in a table, and without what it must not show.
std::string ReportJson(const Report& report, size_t most_callsites) {
  Report shown = report;
  shown.exe = std::string(Basename(report.exe));
  shown.sites.clear();
  shown.modules.clear();
  shown.callsites = CallsitesOf(report);
  if (shown.callsites.size() > most_callsites) shown.callsites.resize(most_callsites);
  shown.forecast = TimeLeft(report);
  for (Callsite& callsite : shown.callsites) {
    Site& sum = callsite.sum;
    if (sum.callsite >= sum.frames.size()) continue;
    Frame& line = sum.frames.Edit()[sum.callsite];
    line.function = line.function.empty() ? line.function : ShortFunction(line);
  }
  return ToJson(shown);
}

template <typename Points, typename Value>
void AddColumn(const char* key, const Points& points, Value value, JsonText* json) {
  json->BeginArray(key);
  for (const auto* point : points) json->Element(value(*point));
  json->End();
}

const HistoryCallsite* Find(const HistoryPoint& point, const std::string& id) {
  for (const HistoryCallsite& callsite : point.callsites) {
    if (callsite.id == id) return &callsite;
  }
  return nullptr;
}

void AddChart(const Report& report, const History& history, const PageLimits& limits,
              JsonText* json) {
  // Evenly thinned, the newest always there.
  std::vector<const HistoryPoint*> points;
  const size_t all = history.Points().size();
  const size_t stride = all / limits.points + 1;
  for (size_t i = 0; i < all; ++i) {
    if ((all - 1 - i) % stride == 0) points.push_back(&history.Points()[i]);
  }
  const auto whole = [](double bytes) { return WholeBytes(bytes); };
  json->BeginObject("chart");
  AddColumn(
      "sequence", points, [](const HistoryPoint& point) { return point.sequence; }, json);
  AddColumn(
      "time", points, [](const HistoryPoint& point) { return point.time; }, json);
  AddColumn(
      "verdict", points, [](const HistoryPoint& point) { return point.verdict; }, json);
  AddColumn(
      "live", points, [&](const HistoryPoint& point) { return whole(point.live_bytes); }, json);
  AddColumn(
      "error", points, [&](const HistoryPoint& point) { return whole(point.live_bytes_stderr); },
      json);
  AddColumn(
      "rss", points, [](const HistoryPoint& point) { return point.rss_bytes; }, json);
  AddColumn(
      "retained", points, [](const HistoryPoint& point) { return point.retained_bytes; }, json);
  json->BeginArray("callsites");
  size_t charted = 0;
  for (const Callsite& callsite : CallsitesOf(report)) {
    if (charted++ == limits.charted_callsites) break;
    const std::string& id = callsite.sum.id;
    const auto column = [&](double HistoryCallsite::*member) {
      return [&id, member](const HistoryPoint& point) {
        const HistoryCallsite* found = Find(point, id);
        return found != nullptr ? std::optional(WholeBytes(found->*member)) : std::nullopt;
      };
    };
    json->BeginObject().Add("id", id);
    AddColumn("live", points, column(&HistoryCallsite::live_bytes), json);
    AddColumn("error", points, column(&HistoryCallsite::live_bytes_stderr), json);
    AddColumn(
        "verdict", points,
        [&](const HistoryPoint& point) {
          const HistoryCallsite* found = Find(point, id);
          return found != nullptr ? std::optional(found->verdict) : std::nullopt;
        },
        json);
    json->End();
  }
  json->End().End();
}

// The newest report's stacks, most live bytes first, and behind them those that only moments have.
std::vector<const Site*> ShownStacks(const Report& report, const History& history, size_t most) {
  std::vector<const Site*> shown;
  std::set<std::string> ids;
  for (const Site& site : report.sites) shown.push_back(&site);
  const auto by_bytes = [](const Site* a, const Site* b) { return a->live_bytes > b->live_bytes; };
  std::stable_sort(shown.begin(), shown.end(), by_bytes);
  if (shown.size() > most) shown.resize(most);
  for (const Site* site : shown) ids.insert(site->id);
  for (const auto& [id, site] : history.Stacks()) {
    if (shown.size() >= most) break;
    if (ids.insert(id).second) shown.push_back(&site);
  }
  return shown;
}

void AddStacks(const Report& report, const History& history, const PageLimits& limits,
               JsonText* json) {
  const std::vector<const Site*> shown = ShownStacks(report, history, limits.stacks);
  std::set<const Site*> of_now;
  for (const Site& site : report.sites) of_now.insert(&site);
  StackTable table;
  json->BeginArray("stacks");
  double live_shown = 0;
  for (const Site* site : shown) {
    const bool now = of_now.contains(site);
    json->BeginObject().Add("id", site->id).BeginArray("frames");
    for (const uint32_t frame : table.Add(*site)) json->Element(frame);
    json->End()
        .Add("verdict", site->verdict)
        .Add("live", WholeBytes(now ? site->live_bytes : 0))
        .Add("growth", WholeBytes(now ? site->growth_bytes : 0))
        .Add("allocated", WholeBytes(now ? site->allocated_bytes : 0));
    // Where the call site is, counted from the root.
    if (!site->frames.empty())
      json->Add("line", site->frames.size() - 1 -
                            std::min<size_t>(site->callsite, site->frames.size() - 1));
    json->End();
    if (now) live_shown += site->live_bytes;
  }
  json->End();
  json->Add("live_shown", WholeBytes(live_shown));
  json->BeginArray("frames");
  for (const ShownFrame& frame : table.Frames()) {
    json->BeginArray().Element(frame.name).Element(frame.file).Element(frame.line);
    json->Element(Basename(frame.module)).End();
  }
  json->End().BeginArray("moments");
  const std::vector<HistoryMoment>& moments = history.Moments();
  const size_t most = std::max<size_t>(2, limits.moment_figures / (shown.size() + 1));
  const size_t stride = moments.size() / most + 1;
  for (size_t i = 0; i < moments.size(); i += stride) {
    json->BeginObject().Add("sequence", moments[i].sequence).Add("time", moments[i].time);
    json->BeginArray("live");
    for (const Site* site : shown) {
      const auto found = moments[i].live_bytes.find(site->id);
      json->Element(found != moments[i].live_bytes.end() ? WholeBytes(found->second) : uint64_t{0});
    }
    json->End().End();
  }
  json->End();
}

// Who holds what, in the words of report.txt: of each call site that was looked at, the sentence and
// one for each holder.
void AddHeld(const Report& report, size_t most_callsites, JsonText* json) {
  std::vector<Callsite> callsites = CallsitesOf(report);
  if (callsites.size() > most_callsites) callsites.resize(most_callsites);
  json->BeginObject("held");
  for (const Callsite& callsite : callsites) {
    if (!callsite.held) continue;
    json->BeginObject(callsite.sum.id).Add("sentence", HeldSentence(*callsite.held));
    json->BeginArray("holders");
    for (const Holder& holder : callsite.held->holders) {
      json->Element(HolderSentence(*callsite.held, holder));
    }
    json->End().End();
  }
  json->End();
}

// No text may end the script element that it stands in, or open a comment.
std::string WithLessThanEscaped(std::string_view json) {
  std::string escaped;
  escaped.reserve(json.size());
  for (const char c : json) c == '<' ? escaped.append("\\u003c") : escaped.append(1, c);
  return escaped;
}

}  // namespace

std::string PageJson(const Report& report, const History& history, bool live,
                     const PageLimits& limits) {
  JsonText json;
  json.BeginObject()
      .Add("schema", "heapgauge.page/1")
      .Add("version", fmt::format("{}.{}.{}", HEAPGAUGE_VERSION_MAJOR, HEAPGAUGE_VERSION_MINOR,
                                  HEAPGAUGE_VERSION_PATCH))
      .Add("live_page", live)
      .Add("too_early", TooEarly(report));
  AddChart(report, history, limits, &json);
  AddStacks(report, history, limits, &json);
  AddHeld(report, limits.callsites, &json);
  json.End();
  std::string text = json.Take();
  text.pop_back();
  text += ",\"report\":" + ReportJson(report, limits.callsites) + "}";
  return WithLessThanEscaped(WithControlsEscaped(std::move(text)));
}

}  // namespace heapgauge
