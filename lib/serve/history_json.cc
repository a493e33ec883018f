#include "serve/history_json.h"

#include "report/json_text.h"
#include "report/printable.h"

namespace heapgauge::serve {

std::string ToJson(const History& history) {
  JsonText json;
  json.BeginObject().Add("schema", "heapgauge.history/1").BeginObject("callsites");
  for (const auto& [id, name] : history.Names()) {
    json.BeginObject(id).AddPlace(name.function, name.file, name.line).End();
  }
  json.End().BeginArray("points");
  for (const HistoryPoint& point : history.Points()) {
    json.BeginObject()
        .Add("sequence", point.sequence)
        .Add("time", point.time)
        .Add("uptime_s", point.uptime_s)
        .Add("verdict", point.verdict)
        .Add("live_bytes", point.live_bytes)
        .Add("live_bytes_stderr", point.live_bytes_stderr)
        .Add("growth_bytes_per_s", point.growth_bytes_per_s)
        .Add("rss_bytes", point.rss_bytes)
        .Add("allocator_retained_bytes", point.retained_bytes)
        .Add("limit_bytes", point.limit_bytes)
        .Add("seconds_to_limit", point.seconds_to_limit)
        .BeginArray("callsites");
    for (const HistoryCallsite& callsite : point.callsites) {
      json.BeginObject()
          .Add("id", callsite.id)
          .Add("verdict", callsite.verdict)
          .Add("live_bytes", callsite.live_bytes)
          .Add("live_bytes_stderr", callsite.live_bytes_stderr)
          .Add("growth_bytes_per_s", callsite.growth_bytes_per_s)
          .End();
    }
    json.End().End();
  }
  json.End().End();
  return WithControlsEscaped(json.Take());
}

}  // namespace heapgauge::serve
