#include "report/json_writer.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

namespace heapgauge {
namespace {

using Json = nlohmann::ordered_json;

Json Number(double value) {
  if (!std::isfinite(value)) return 0;
  const double rounded = std::round(value * 1e6) / 1e6;
  if (!std::isfinite(rounded)) return value;            // too large to have a fraction
  constexpr double kExactInteger = 9007199254740992.0;  // 2^53
  if (rounded == std::trunc(rounded) && std::fabs(rounded) <= kExactInteger) {
    return static_cast<int64_t>(rounded);
  }
  return rounded;
}

Json NumberOrNull(const std::optional<double>& value) {
  return value && std::isfinite(*value) ? Number(*value) : Json(nullptr);
}

template <typename T>
Json ValueOrNull(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json ToJson(const SamplingInfo& sampling) {
  return {{"interval_bytes", sampling.interval_bytes},
          {"asked_interval_bytes", sampling.asked_interval_bytes},
          {"interval_changes", sampling.interval_changes},
          {"samples", sampling.samples},
          {"live_samples", sampling.live_samples},
          {"dropped", sampling.dropped},
          {"unwind", sampling.unwind},
          {"cpu_s", Number(sampling.cpu_s)},
          {"memory_bytes", sampling.memory_bytes},
          {"reports_failed", sampling.reports_failed},
          {"coverage", NumberOrNull(sampling.coverage)},
          {"coverage_note", sampling.coverage_note}};
}

Json ToJson(const ProcessInfo& process) {
  return {{"rss_bytes", process.rss_bytes},
          {"heap_live_bytes", process.heap_live_bytes},
          {"allocator_retained_bytes", process.allocator_retained_bytes},
          {"limit_bytes", ValueOrNull(process.limit_bytes)},
          {"limit_source", process.limit_source},
          {"usage_bytes", process.usage_bytes},
          {"rss_file_bytes", process.rss_file_bytes},
          {"rss_shmem_bytes", process.rss_shmem_bytes},
          {"threads", process.threads}};
}

Json ToJson(const Totals& totals) {
  return {{"live_bytes", Number(totals.live_bytes)},
          {"live_bytes_stderr", Number(totals.live_bytes_stderr)},
          {"live_objects", Number(totals.live_objects)},
          {"allocated_bytes", Number(totals.allocated_bytes)},
          {"freed_bytes", Number(totals.freed_bytes)},
          {"allocated_objects", Number(totals.allocated_objects)},
          {"freed_objects", Number(totals.freed_objects)},
          {"growth_bytes_per_s", Number(totals.growth_bytes_per_s)}};
}

Json ToJson(const std::optional<Forecast>& forecast) {
  // A forecast without its figure says nothing.
  if (!forecast || !std::isfinite(forecast->seconds_to_limit)) return nullptr;
  // An interval that is open above (growth might be zero) is null there.
  return {{"limit_bytes", forecast->limit_bytes},
          {"limit_source", forecast->limit_source},
          {"seconds_to_limit", Number(forecast->seconds_to_limit)},
          {"seconds_low", Number(forecast->seconds_low)},
          {"seconds_high", NumberOrNull(forecast->seconds_high)}};
}

Json ToJson(const Frame& frame) {
  return {{"function", frame.function},           {"file", ValueOrNull(frame.file)},
          {"line", ValueOrNull(frame.line)},      {"module", frame.module},
          {"module_offset", frame.module_offset}, {"inlined", frame.inlined}};
}

Json ToJson(const std::map<std::string, std::string>& map) {
  Json object = Json::object();
  for (const auto& [key, value] : map) object[key] = value;
  return object;
}

Json ToJson(const Site& site) {
  Json frames = Json::array();
  for (const Frame& frame : site.frames) frames.push_back(ToJson(frame));
  return {{"rank", site.rank},
          {"id", site.id},
          {"verdict", site.verdict},
          {"confidence", Number(site.confidence)},
          {"evidence", site.evidence},
          {"live_bytes", Number(site.live_bytes)},
          {"live_bytes_stderr", Number(site.live_bytes_stderr)},
          {"live_objects", Number(site.live_objects)},
          {"allocated_bytes", Number(site.allocated_bytes)},
          {"freed_bytes", Number(site.freed_bytes)},
          {"allocated_objects", Number(site.allocated_objects)},
          {"freed_objects", Number(site.freed_objects)},
          {"growth_bytes", Number(site.growth_bytes)},
          {"growth_bytes_per_s", Number(site.growth_bytes_per_s)},
          {"growth_low", Number(site.growth_low)},
          {"growth_high", Number(site.growth_high)},
          {"age_p50_s", Number(site.age_p50_s)},
          {"age_max_s", Number(site.age_max_s)},
          {"lifetime_p50_s", NumberOrNull(site.lifetime_p50_s)},
          {"lifetime_p99_s", NumberOrNull(site.lifetime_p99_s)},
          {"labels", ToJson(site.labels)},
          {"callsite", site.callsite},
          {"frames", std::move(frames)}};
}

std::string Dump(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

std::string ToJson(const Report& report, size_t max_sites) {
  const Json head = {{"schema", kReportSchema},
                     {"sequence", report.sequence},
                     {"time", report.time},
                     {"uptime_s", Number(report.uptime_s)},
                     {"final", report.final},
                     {"pid", report.pid},
                     {"exe", report.exe},
                     {"host", report.host},
                     {"build_id", report.build_id},
                     {"sampling", ToJson(report.sampling)},
                     {"process", ToJson(report.process)},
                     {"totals", ToJson(report.totals)},
                     {"verdict", report.verdict},
                     {"evidence", report.evidence},
                     {"forecast", ToJson(report.forecast)},
                     {"sites_total", report.sites_total},
                     {"modules", ToJson(report.modules)}};
  // The sites go out one by one: this runs inside the watched process, and ten thousand sites as
  // one JSON value would take some hundred megabytes there.
  std::string line = Dump(head);
  line.pop_back();
  line += ",\"sites\":[";
  const size_t shown = std::min(max_sites, report.sites.size());
  for (size_t i = 0; i < shown; ++i) {
    if (i > 0) line += ',';
    line += Dump(ToJson(report.sites[i]));
  }
  line += "]}";
  return line;
}

}  // namespace heapgauge
