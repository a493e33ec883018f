#include "report/temporary_writer.h"

#include <fmt/core.h>

#include <algorithm>

#include "report/text_site.h"
#include "report/text_style.h"
#include "report/units.h"

namespace heapgauge {
namespace {

std::string Share(double part, double all) {
  return all > 0 ? FormatPercent(std::min(1.0, part / all)) : "";
}

}  // namespace

std::string ToTextTemporary(const Report& report, const TextOptions& options) {
  if (!report.temporary) {
    return Wrapped(
        "This report does not say what was temporary: an earlier version wrote it, or it is one of "
        "those that were rotated away.",
        "", options.width);
  }
  const Temporary& all = *report.temporary;
  const std::string error = ErrorOf(all.bytes_stderr);
  std::string out = Wrapped(
      fmt::format(
          "Temporary allocations: {} objects, {}{}, were born and freed between two reports. "
          "That is {} of all objects and {} of all bytes of {}.",
          FormatCount(all.objects), FormatBytes(all.bytes), error.empty() ? "" : " " + error,
          Share(all.objects, all.allocated_objects), Share(all.bytes, all.allocated_bytes),
          FormatDuration(report.uptime_s)),
      "", options.width);
  if (all.callsites.empty()) return out;
  using Align = Table::Align;
  Table table({Align::kRight, Align::kRight, Align::kRight, Align::kRight, Align::kLeft});
  table.Add({{"objects", Ink::kDim},
             {"share", Ink::kDim},
             {"bytes", Ink::kDim},
             {"error", Ink::kDim},
             {"call site", Ink::kDim}});
  constexpr size_t kOtherColumns = 42;
  const size_t width = options.width > kOtherColumns + 24 ? options.width - kOtherColumns : 24;
  const size_t shown = std::min(options.max_sites, all.callsites.size());
  for (size_t i = 0; i < shown; ++i) {
    const BriefCallsite& callsite = all.callsites[i];
    Site site;
    site.frames = {callsite.frame};
    table.Add({{FormatCount(callsite.objects)},
               {Share(callsite.objects, callsite.allocated_objects)},
               {FormatBytes(callsite.bytes)},
               {ErrorOf(callsite.bytes_stderr)},
               {ShortCallsite(site, width), Ink::kBold}});
  }
  out += table.Render("  ", options.colour);
  out += Wrapped("share: of what was born at that call site.", "  ", options.width);
  if (shown < all.callsites.size()) {
    out += fmt::format("  {} more call sites: --top 0 shows all that the report has\n",
                       all.callsites.size() - shown);
  }
  return out;
}

}  // namespace heapgauge
