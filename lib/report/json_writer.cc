#include "report/json_writer.h"

#include <algorithm>
#include <cmath>

#include "report/json_text.h"

namespace heapgauge {
namespace {

void Add(JsonText& json, const SamplingInfo& sampling) {
  json.BeginObject("sampling")
      .Add("interval_bytes", sampling.interval_bytes)
      .Add("asked_interval_bytes", sampling.asked_interval_bytes)
      .Add("interval_changes", sampling.interval_changes)
      .Add("samples", sampling.samples)
      .Add("live_samples", sampling.live_samples)
      .Add("dropped", sampling.dropped)
      .Add("unwind", sampling.unwind)
      .Add("cpu_s", sampling.cpu_s)
      .Add("memory_bytes", sampling.memory_bytes)
      .Add("reports_failed", sampling.reports_failed)
      .Add("coverage", sampling.coverage)
      .Add("coverage_note", sampling.coverage_note)
      .Add("unseen_deaths", sampling.unseen_deaths)
      .Add("distrust", sampling.distrust)
      .End();
}

void Add(JsonText& json, const ProcessInfo& process) {
  json.BeginObject("process")
      .Add("rss_bytes", process.rss_bytes)
      .Add("heap_live_bytes", process.heap_live_bytes)
      .Add("allocator_retained_bytes", process.allocator_retained_bytes)
      .Add("limit_bytes", process.limit_bytes)
      .Add("limit_source", process.limit_source)
      .Add("usage_bytes", process.usage_bytes)
      .Add("rss_file_bytes", process.rss_file_bytes)
      .Add("rss_shmem_bytes", process.rss_shmem_bytes)
      .Add("threads", process.threads)
      .End();
}

void Add(JsonText& json, const Totals& totals) {
  json.BeginObject("totals")
      .Add("live_bytes", totals.live_bytes)
      .Add("live_bytes_stderr", totals.live_bytes_stderr)
      .Add("live_objects", totals.live_objects)
      .Add("allocated_bytes", totals.allocated_bytes)
      .Add("freed_bytes", totals.freed_bytes)
      .Add("allocated_objects", totals.allocated_objects)
      .Add("freed_objects", totals.freed_objects)
      .Add("growth_bytes_per_s", totals.growth_bytes_per_s)
      .End();
}

void Add(JsonText& json, const std::optional<Forecast>& forecast) {
  // A forecast without its figure says nothing.
  if (!forecast || !std::isfinite(forecast->seconds_to_limit)) {
    json.Add("forecast", nullptr);
    return;
  }
  // An interval that is open above (growth might be zero) is null there.
  json.BeginObject("forecast")
      .Add("limit_bytes", forecast->limit_bytes)
      .Add("limit_source", forecast->limit_source)
      .Add("seconds_to_limit", forecast->seconds_to_limit)
      .Add("seconds_low", forecast->seconds_low)
      .Add("seconds_high", std::optional<double>(forecast->seconds_high))
      .End();
}

void Add(JsonText& json, const Frame& frame) {
  json.BeginObject()
      .Add("function", frame.function)
      .Add("file", frame.file)
      .Add("line", frame.line)
      .Add("module", frame.module)
      .Add("module_offset", frame.module_offset)
      .Add("inlined", frame.inlined)
      .End();
}

void Add(JsonText& json, std::string_view key, const std::map<std::string, std::string>& map) {
  json.BeginObject(key);
  for (const auto& [name, value] : map) json.Add(name, value);
  json.End();
}

// What a stack and a call site have in common.
void AddVerdict(JsonText& json, const Site& site) {
  json.Add("verdict", site.verdict)
      .Add("confidence", site.confidence)
      .Add("evidence", site.evidence);
}

void AddFigures(JsonText& json, const Site& site) {
  json.Add("live_bytes", site.live_bytes)
      .Add("live_bytes_stderr", site.live_bytes_stderr)
      .Add("live_objects", site.live_objects)
      .Add("allocated_bytes", site.allocated_bytes)
      .Add("freed_bytes", site.freed_bytes)
      .Add("allocated_objects", site.allocated_objects)
      .Add("freed_objects", site.freed_objects)
      .Add("growth_bytes", site.growth_bytes)
      .Add("growth_bytes_per_s", site.growth_bytes_per_s)
      .Add("growth_low", site.growth_low)
      .Add("growth_high", site.growth_high)
      .Add("age_p50_s", site.age_p50_s)
      .Add("age_max_s", site.age_max_s)
      .Add("lifetime_p50_s", site.lifetime_p50_s)
      .Add("lifetime_p99_s", site.lifetime_p99_s);
}

void Add(JsonText& json, const Site& site) {
  json.BeginObject().Add("rank", site.rank).Add("id", site.id);
  AddVerdict(json, site);
  AddFigures(json, site);
  Add(json, "labels", site.labels);
  json.Add("callsite", site.callsite).BeginArray("frames");
  for (const Frame& frame : site.frames) Add(json, frame);
  json.End().End();
}

void Add(JsonText& json, const Callsite& callsite) {
  const Site& sum = callsite.sum;
  const Frame none;
  const Frame& frame = sum.callsite < sum.frames.size() ? sum.frames[sum.callsite] : none;
  json.BeginObject()
      .Add("rank", sum.rank)
      .Add("id", sum.id)
      .Add("function", frame.function)
      .Add("file", frame.file)
      .Add("line", frame.line)
      .Add("module", frame.module)
      .Add("module_offset", frame.module_offset);
  AddVerdict(json, sum);
  json.Add("stacks", callsite.stacks).Add("largest_stack_share", callsite.largest_stack_share);
  AddFigures(json, sum);
  json.BeginArray("sites");
  for (const std::string& id : callsite.sites) json.Element(id);
  json.End().Add("held", nullptr).End();
}

}  // namespace

std::string ToJson(const Report& report, size_t max_sites) {
  JsonText json;
  json.BeginObject()
      .Add("schema", kReportSchema)
      .Add("sequence", report.sequence)
      .Add("time", report.time)
      .Add("uptime_s", report.uptime_s)
      .Add("final", report.final)
      .Add("pid", report.pid);
  if (!report.instance.empty()) json.Add("instance", report.instance);
  json.Add("exe", report.exe).Add("host", report.host).Add("build_id", report.build_id);
  Add(json, report.sampling);
  Add(json, report.process);
  Add(json, report.totals);
  json.Add("verdict", report.verdict).Add("evidence", report.evidence);
  Add(json, report.forecast);
  json.Add("sites_total", report.sites_total);
  Add(json, "modules", report.modules);
  json.BeginArray("sites");
  const size_t shown = std::min(max_sites, report.sites.size());
  for (size_t i = 0; i < shown; ++i) Add(json, report.sites[i]);
  json.End().Add("callsites_total", report.callsites_total).BeginArray("callsites");
  const size_t lines = std::min(max_sites, report.callsites.size());
  for (size_t i = 0; i < lines; ++i) Add(json, report.callsites[i]);
  json.End().End();
  return json.Take();
}

}  // namespace heapgauge
