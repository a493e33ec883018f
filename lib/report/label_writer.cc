#include "report/label_writer.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "report/json_text.h"
#include "report/printable.h"
#include "report/text_site.h"
#include "report/text_style.h"
#include "report/units.h"

namespace heapgauge {
namespace {

std::string KnownKeys(const Report& report) {
  std::set<std::string> keys;
  for (const LabelSum& label : report.labels) keys.insert(Printable(label.key));
  std::string text;
  for (const std::string& key : keys) text += (text.empty() ? "" : ", ") + key;
  return text;
}

double Unlabelled(const Report& report, const std::string& key) {
  double rest = report.totals.live_bytes;
  for (const LabelSum& label : report.labels) {
    if (label.key == key) rest -= label.live_bytes;
  }
  return std::max(rest, 0.0);
}

std::string Share(double bytes, const Report& report) {
  return report.totals.live_bytes > 0 ? FormatPercent(bytes / report.totals.live_bytes) : "";
}

}  // namespace

std::string ToTextByLabel(const Report& report, const std::string& key,
                          const TextOptions& options) {
  double fastest = 0;
  size_t present = 0;
  for (const LabelSum& label : report.labels) {
    if (label.key != key) continue;
    ++present;
    fastest = std::max(fastest, std::fabs(label.growth_bytes_per_s));
  }
  if (present == 0) {
    const std::string keys = KnownKeys(report);
    const std::string known = keys.empty() ? "it has no labels" : "its labels: " + keys;
    return Wrapped(fmt::format("Nothing that is alive in this report has a label {}; {}.",
                               Printable(key), known),
                   "", options.width);
  }
  const RateUnit unit = ChooseRateUnit(fastest);
  using Align = Table::Align;
  Table table({Align::kRight, Align::kRight, Align::kRight, Align::kRight, Align::kRight,
               Align::kRight, Align::kLeft});
  table.Add({{"live", Ink::kDim},
             {"error", Ink::kDim},
             {"share", Ink::kDim},
             {"objects", Ink::kDim},
             {fmt::format("growth/{}", unit.name), Ink::kDim},
             {"oldest", Ink::kDim},
             {Printable(key), Ink::kDim}});
  size_t shown = 0;
  for (const LabelSum& label : report.labels) {
    if (label.key != key || shown == options.max_sites) continue;
    ++shown;
    table.Add({{FormatBytes(label.live_bytes)},
               {ErrorOf(label.live_bytes_stderr)},
               {Share(label.live_bytes, report)},
               {FormatCount(label.live_objects)},
               {FormatSignedBytes(label.growth_bytes_per_s * unit.seconds)},
               {FormatDuration(label.oldest_s)},
               {Printable(label.value), Ink::kBold}});
  }
  const double rest = Unlabelled(report, key);
  table.Add({{FormatBytes(rest)},
             {},
             {Share(rest, report)},
             {},
             {},
             {},
             {fmt::format("(without a label {})", Printable(key)), Ink::kDim}});
  std::string out = fmt::format("The live heap by {}: {} in all\n", Printable(key),
                                FormatBytes(report.totals.live_bytes));
  out += table.Render("  ", options.colour);
  if (shown < present) {
    out += fmt::format("{} more values: --top 0 shows all that the report has\n", present - shown);
  }
  return out;
}

std::string ToJsonByLabel(const Report& report, const std::string& key) {
  JsonText json;
  json.BeginObject().Add("key", key).BeginArray("values");
  for (const LabelSum& label : report.labels) {
    if (label.key != key) continue;
    json.BeginObject()
        .Add("value", label.value)
        .Add("live_bytes", label.live_bytes)
        .Add("live_bytes_stderr", label.live_bytes_stderr)
        .Add("live_objects", label.live_objects)
        .Add("oldest_s", label.oldest_s)
        .Add("growth_bytes_per_s", label.growth_bytes_per_s)
        .End();
  }
  json.End()
      .Add("unlabelled_bytes", Unlabelled(report, key))
      .Add("live_bytes", report.totals.live_bytes)
      .End();
  return json.Take();
}

}  // namespace heapgauge
