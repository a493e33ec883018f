#include "serve/metrics.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <string_view>
#include <vector>

#include "heapgauge/heapgauge.h"
#include "report/callsite.h"
#include "report/frame_text.h"
#include "report/printable.h"
#include "report/time_left.h"
#include "report/units.h"

namespace heapgauge::serve {
namespace {

constexpr size_t kFunctionColumns = 120;

std::string LabelValue(std::string_view text) {
  std::string escaped;
  for (const char c : Printable(text)) {
    if (c == '\\' || c == '"') escaped += '\\';
    escaped += c;
  }
  return escaped;
}

class Text final {
 public:
  void Metric(std::string_view name, std::string_view type, std::string_view help) {
    text_ += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
  }
  void Value(std::string_view name, std::string_view labels, double value) {
    text_ += fmt::format("{}{} {}\n", name, labels, std::isfinite(value) ? value : 0);
  }
  void Gauge(std::string_view name, std::string_view help, double value) {
    Metric(name, "gauge", help);
    Value(name, "", value);
  }
  void Counter(std::string_view name, std::string_view help, double value) {
    Metric(name, "counter", help);
    Value(name, "", value);
  }
  std::string Take() { return std::move(text_); }

 private:
  std::string text_;
};

void AddBuild(Text* text) {
  text->Metric("heapgauge_build_info", "gauge", "The version of heapgauge.");
  text->Value("heapgauge_build_info",
              fmt::format("{{version=\"{}.{}.{}\"}}", HEAPGAUGE_VERSION_MAJOR,
                          HEAPGAUGE_VERSION_MINOR, HEAPGAUGE_VERSION_PATCH),
              1);
}

struct LabelledSite {
  std::string labels;
  const Site* sum;
};

std::vector<LabelledSite> FirstSites(const std::vector<Callsite>& callsites) {
  std::vector<LabelledSite> sites;
  for (const Callsite& callsite : callsites) {
    if (sites.size() == kMostSites) break;
    const Site& sum = callsite.sum;
    std::string function = "[no stack]";
    if (!sum.frames.empty()) function = ShortFunction(CallsiteFrame(sum.frames, sum.callsite));
    sites.push_back({fmt::format("{{site=\"{}\",function=\"{}\"}}", LabelValue(sum.id),
                                 LabelValue(CutEnd(function, kFunctionColumns))),
                     &sum});
  }
  return sites;
}

}  // namespace

std::string MetricsOfNothing() {
  Text text;
  AddBuild(&text);
  return text.Take();
}

namespace {

constexpr size_t kMostCalls = 10;

// Labels as service graphs of tracing have them.
void AddCalls(const Report& report, Text* text) {
  text->Metric("heapgauge_call_in_flight_bytes", "gauge",
               "Memory in flight for calls, by the service that was called, the first 10.");
  for (size_t i = 0; i < std::min(report.calls.size(), kMostCalls); ++i) {
    const Call& call = report.calls[i];
    text->Value("heapgauge_call_in_flight_bytes",
                fmt::format("{{client=\"{}\",server=\"{}\"}}", LabelValue(report.service),
                            LabelValue(call.peer)),
                call.in_flight_bytes);
  }
  text->Metric("heapgauge_circle", "gauge", "1 while these services call each other in a circle.");
  for (size_t i = 0; i < std::min(report.circles.size(), kMostCalls); ++i) {
    std::string members;
    for (const std::string& name : report.circles[i].members) {
      members += (members.empty() ? "" : ",") + name;
    }
    text->Value("heapgauge_circle", fmt::format("{{members=\"{}\"}}", LabelValue(members)), 1);
  }
}

}  // namespace

std::string MetricsOf(const Report& report) {
  Text text;
  const auto whole = [](uint64_t value) { return static_cast<double>(value); };
  text.Gauge("heapgauge_heap_live_bytes", "Live heap, an unbiased estimate.",
             report.totals.live_bytes);
  text.Gauge("heapgauge_heap_live_objects", "Live blocks of the heap, an unbiased estimate.",
             report.totals.live_objects);
  text.Counter("heapgauge_allocated_bytes_total", "Allocated since tracking began, an estimate.",
               report.totals.allocated_bytes);
  text.Counter("heapgauge_freed_bytes_total", "Freed since tracking began, an estimate.",
               report.totals.freed_bytes);
  text.Gauge("heapgauge_process_resident_bytes", "Resident memory of the process.",
             whole(report.process.rss_bytes));
  text.Gauge("heapgauge_allocator_retained_bytes",
             "Freed by the program and kept by its allocator, as far as it is resident.",
             whole(report.process.allocator_retained_bytes));
  const std::vector<Callsite> callsites = CallsitesOf(report);
  const std::vector<LabelledSite> sites = FirstSites(callsites);
  text.Metric("heapgauge_site_live_bytes", "gauge", "Live heap by call site, the first 20.");
  for (const auto& [labels, sum] : sites)
    text.Value("heapgauge_site_live_bytes", labels, sum->live_bytes);
  text.Metric("heapgauge_site_growth_bytes_per_second", "gauge",
              "Growth of the live heap by call site over its history.");
  for (const auto& [labels, sum] : sites)
    text.Value("heapgauge_site_growth_bytes_per_second", labels, sum->growth_bytes_per_s);
  text.Metric("heapgauge_leak_suspected", "gauge", "1 where the call site is called a leak.");
  for (const auto& [labels, sum] : sites)
    text.Value("heapgauge_leak_suspected", labels, sum->verdict == "leak" ? 1 : 0);
  if (const std::optional<Forecast> left = TimeLeft(report)) {
    text.Gauge("heapgauge_time_to_limit_seconds",
               "Until the memory limit that is met first, at the present growth.",
               left->seconds_to_limit);
  }
  AddCalls(report, &text);
  text.Counter("heapgauge_samples_total", "Samples taken since tracking began.",
               whole(report.sampling.samples));
  text.Counter("heapgauge_dropped_samples_total", "Samples that found no room.",
               whole(report.sampling.dropped));
  text.Gauge("heapgauge_tracker_memory_bytes", "What the tracker itself holds.",
             whole(report.sampling.memory_bytes));
  text.Counter("heapgauge_tracker_cpu_seconds_total",
               "Processor time of the tracker: sampled paths and reports.", report.sampling.cpu_s);
  text.Gauge("heapgauge_last_report_timestamp_seconds", "When the newest report was made.",
             static_cast<double>(ParseUtc(report.time).value_or(0)) * 1e-3);
  AddBuild(&text);
  return text.Take();
}

}  // namespace heapgauge::serve
