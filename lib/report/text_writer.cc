#include "report/text_writer.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/basename.h"
#include "report/call_words.h"
#include "report/callers_beside.h"
#include "report/frame_text.h"
#include "report/listed.h"
#include "report/printable.h"
#include "report/text_site.h"
#include "report/text_style.h"
#include "report/time_left.h"
#include "report/units.h"

namespace heapgauge {
namespace {

// "2026-11-23T02:14:07Z" -> "2026-11-23 02:14:07 UTC"
std::string ReadableTime(const std::string& time) {
  std::string text = Printable(time);
  if (text.size() < 20 || text[10] != 'T' || text.back() != 'Z') return text;
  text[10] = ' ';
  text.pop_back();
  return text + " UTC";
}

std::string_view VerdictInWords(std::string_view verdict) {
  if (verdict == "leak")
    return "LEAK: objects pile up and are not freed, whatever the traffic does.";
  if (verdict == "growing")
    return "GROWING: the live heap keeps rising; whether it is a leak is not clear yet.";
  if (verdict == "load")
    return "LOAD: the live heap rises with the traffic; objects still die at their usual age.";
  if (verdict == "ok") return "OK: the live heap does not grow.";
  if (verdict == "warming") return "WARMING UP: too little history for a verdict yet.";
  return {};
}

std::string Title(const Report& report, const TextOptions& options) {
  const std::string program =
      report.exe.empty() ? "unknown program" : Printable(Basename(report.exe));
  std::string title =
      fmt::format("heapgauge report {}: {}, pid {}", report.sequence, program, report.pid);
  if (!report.host.empty()) title += ", on " + Printable(report.host);
  return fmt::format("{}\n{}, tracked for {}{}\n", Paint(title, Ink::kBold, options.colour),
                     ReadableTime(report.time), FormatDuration(report.uptime_s),
                     report.final ? "; written at the end of the process" : "");
}

// What the reader must know before believing any figure.
std::string Warnings(const Report& report, const TextOptions& options) {
  const SamplingInfo& sampling = report.sampling;
  std::string out;
  const auto warn = [&](const std::string& text) {
    out += Paint(Wrapped("!! " + text, "", options.width), Ink::kRed, options.colour);
  };
  if (sampling.dropped > 0) {
    const auto dropped = static_cast<double>(sampling.dropped);
    const double all = dropped + static_cast<double>(sampling.samples);
    warn(
        fmt::format("{} samples ({}) were DROPPED, because the tracker's memory limit was reached: "
                    "the figures below "
                    "are too low. Raise HEAPGAUGE_MEMORY_LIMIT or HEAPGAUGE_SAMPLE_INTERVAL.",
                    FormatCount(dropped), FormatPercent(dropped / all)));
  }
  if (sampling.coverage && *sampling.coverage < 0.995) {
    warn(fmt::format(
        "Only {} of this program's allocations are seen.{}", FormatPercent(*sampling.coverage),
        sampling.coverage_note.empty() ? "" : " " + Printable(sampling.coverage_note)));
  }
  if (sampling.reports_failed > 0) {
    warn(fmt::format("{} earlier reports could not be written (full disk? vanished directory?).",
                     FormatCount(static_cast<double>(sampling.reports_failed))));
  }
  return out;
}

// Why names, lines or the ends of stacks are missing.
std::string Notes(const Report& report, const TextOptions& options) {
  std::string out;
  for (const std::string& note : report.notes) {
    out += Wrapped("Note: " + Printable(note), "", options.width);
  }
  return out;
}

std::string LimitLine(const ProcessInfo& process) {
  const auto used = static_cast<double>(process.usage_bytes);
  if (!process.limit_bytes || *process.limit_bytes == 0) return "none found";
  const auto limit = static_cast<double>(*process.limit_bytes);
  const std::string source = process.limit_source == "cgroup"   ? "cgroup"
                             : process.limit_source == "rlimit" ? "resource limit"
                             : process.limit_source == "memory" ? "the machine's memory"
                                                                : Printable(process.limit_source);
  return fmt::format("{} ({}); {} used, {}", FormatBytes(limit), source, FormatBytes(used),
                     FormatPercent(used / limit));
}

std::string ForecastLine(const Forecast& forecast, RateUnit unit) {
  std::string line = fmt::format("{} to the limit of {}", FormatDuration(forecast.seconds_to_limit),
                                 FormatBytes(static_cast<double>(forecast.limit_bytes)));
  if (!forecast.seconds_high || !std::isfinite(*forecast.seconds_high)) {
    line += fmt::format(" (95 %: {} or more)", FormatDuration(forecast.seconds_low));
  } else if (*forecast.seconds_high > forecast.seconds_low) {
    line += fmt::format(" (95 %: {} to {})", FormatDuration(forecast.seconds_low),
                        FormatDuration(*forecast.seconds_high));
  }
  if (!(forecast.growth_bytes_per_s > 0)) return line;
  return line + fmt::format(", if {} goes on growing by {} as in the last {}", GrowthOf(forecast),
                            FormatRate(forecast.growth_bytes_per_s, unit),
                            FormatDuration(forecast.growth_window_s));
}

// What is neither live nor the allocator's: the kernel tells files and shared memory apart, we know
// our own; what remains is stacks and anonymous mappings.
void AddRest(const Report& report, double rest, Table& table) {
  const ProcessInfo& process = report.process;
  const auto file = static_cast<double>(process.rss_file_bytes);
  const auto shared = static_cast<double>(process.rss_shmem_bytes);
  const auto tracker = static_cast<double>(report.sampling.memory_bytes);
  const double other = rest - file - shared - tracker;
  // Not all that the tracker holds is touched, and of a live heap that is not, nothing is left
  // over.
  if (process.threads == 0 || other < 0) {
    table.Add({{"  the rest"}, {FormatBytes(rest)}, {"stacks, code, mappings, the tracker"}});
    return;
  }
  table.Add({{"  the rest"}, {FormatBytes(rest)}, {}});
  table.Add({{"    files"}, {FormatBytes(file)}, {"code and mapped files"}});
  if (shared > 0) table.Add({{"    shared memory"}, {FormatBytes(shared)}, {}});
  table.Add({{"    heapgauge"}, {FormatBytes(tracker)}, {}});
  const std::string threads = FormatCount(static_cast<double>(process.threads));
  const std::string stacks =
      process.threads == 1 ? "the stack" : fmt::format("stacks of {} threads", threads);
  table.Add({{"    other"}, {FormatBytes(other)}, {stacks + ", anonymous mappings"}});
}

constexpr double kWorthALine = 0.02;  // of the live heap
constexpr double kPeakIsOver = 1.05;  // times the live heap: below that, the peak is now

std::string PeakLine(const Peak& peak) {
  constexpr size_t kCallsites = 3;
  std::string line =
      fmt::format("peak: {} at {}", FormatBytes(peak.live_bytes), ReadableTime(peak.time));
  for (size_t i = 0; i < std::min(kCallsites, peak.callsites.size()); ++i) {
    const PeakCallsite& callsite = peak.callsites[i];
    line += fmt::format("{} {} by {}", i == 0 ? ":" : ",", FormatBytes(callsite.live_bytes),
                        ShortFunction(callsite.frame));
    const std::string place = FileAndLine(callsite.frame, false);
    if (!place.empty()) line += " (" + place + ")";
  }
  return line;
}

// Resident memory and what it is made of.
std::string Memory(const Report& report, RateUnit unit, const TextOptions& options) {
  using Align = Table::Align;
  Table table({Align::kLeft, Align::kRight, Align::kLeft});
  const auto rss = static_cast<double>(report.process.rss_bytes);
  const auto retained = static_cast<double>(report.process.allocator_retained_bytes);
  const double live = report.totals.live_bytes;
  const double rounding =
      std::max(0.0, static_cast<double>(report.process.heap_taken_bytes) - live);
  const double rest = rss - live - rounding - retained;
  // No process is without: it had no /proc to learn it from, as in another root directory.
  const bool known = report.process.rss_bytes != 0;
  table.Add({{"resident (RSS)"},
             {known ? FormatBytes(rss) : "unknown"},
             {known ? "" : "there is no /proc to tell it"}});
  std::string live_note = ErrorOf(report.totals.live_bytes_stderr);
  live_note += fmt::format("{}in {} objects", live_note.empty() ? "" : " ",
                           FormatCount(report.totals.live_objects));
  const Totals& totals = report.totals;
  // Reports of earlier versions have no interval.
  const bool grows =
      totals.growth_low > 0 || totals.growth_high < 0 ||
      (totals.growth_low == totals.growth_high && IsGrowth(report.verdict, totals.growth_high));
  if (grows) live_note += ", " + FormatRate(totals.growth_bytes_per_s, unit);
  table.Add({{"  live heap"}, {FormatBytes(live), Ink::kBold}, {live_note}});
  if (rounding > kWorthALine * live) {
    table.Add(
        {{"  headers, rounding"}, {FormatBytes(rounding)}, {"what blocks take beyond their size"}});
  }
  table.Add({{"  kept by the allocator"},
             {FormatBytes(retained)},
             {"freed by the program, not returned to the system"}});
  if (known && rest >= 0) {
    AddRest(report, rest, table);
  } else if (known) {
    // Untouched pages of large blocks are live but not resident.
    table.Add({{"  not resident"},
               {FormatBytes(-rest)},
               {"allocated but never touched, or swapped out"}});
  }
  std::string out = table.Render("  ", options.colour);
  if (report.peak && report.peak->live_bytes > kPeakIsOver * live) {
    out += Wrapped(PeakLine(*report.peak), "  ", options.width);
  }
  out += fmt::format("  limit: {}\n", LimitLine(report.process));
  if (const std::optional<Forecast> left = TimeLeft(report)) {
    std::string line = Wrapped("time left: " + ForecastLine(*left, unit), "  ", options.width);
    line.pop_back();  // the line break is no part of what is bold
    out += Paint(line, Ink::kBold, options.colour) + "\n";
  } else if (const std::string early = TooEarly(report); !early.empty()) {
    out += Wrapped("time left: " + early, "  ", options.width);
  }
  return out;
}

// A site that holds nothing and does not grow is history: JSON has it, nobody needs it at night.
bool IsOver(const Site& site) {
  return site.live_bytes < 0.5 && (site.verdict == "steady" || site.verdict == "warming");
}

std::string SiteTable(const std::vector<const Site*>& sites, RateUnit unit,
                      const TextOptions& options) {
  using Align = Table::Align;
  Table table(
      {Align::kRight, Align::kLeft, Align::kRight, Align::kRight, Align::kRight, Align::kLeft});
  table.Add({{"#", Ink::kDim},
             {"verdict", Ink::kDim},
             {fmt::format("growth/{}", unit.name), Ink::kDim},
             {"live", Ink::kDim},
             {"objects", Ink::kDim},
             {"call site", Ink::kDim}});
  constexpr size_t kOtherColumns = 46;
  const size_t width = options.width > kOtherColumns + 24 ? options.width - kOtherColumns : 24;
  const std::vector<std::string> callers = CallersBeside(sites);
  for (size_t i = 0; i < sites.size(); ++i) {
    const Site* const site = sites[i];
    const bool leak = site->verdict == "leak";
    table.Add({{std::to_string(site->rank)},
               {leak ? "LEAK" : Printable(site->verdict), InkOf(site->verdict)},
               {IsGrowth(site->verdict, site->growth_high)
                    ? FormatSignedBytes(site->growth_bytes_per_s * unit.seconds)
                    : "-"},
               {FormatBytes(site->live_bytes)},
               {FormatCount(site->live_objects)},
               {CallsiteAndCaller(*site, callers[i], width), leak ? Ink::kBold : Ink::kPlain}});
  }
  return table.Render("  ", options.colour);
}

std::string WithoutSites(const Report& report, const TextOptions& options) {
  const std::string interval = FormatBytes(static_cast<double>(report.sampling.interval_bytes));
  std::string text = "No call site holds memory now: all that was sampled has been freed.";
  if (report.sampling.samples == 0) {
    text = report.sampling.interval_bytes <= 1
               ? "No call sites: the process has allocated nothing since tracking began."
               : fmt::format(
                     "No call sites: nothing was sampled. The process has allocated little; one "
                     "sample comes every "
                     "{} on average.",
                     interval);
  }
  return Wrapped(text, "", options.width);
}

std::string Sites(const Report& report, RateUnit unit, const TextOptions& options) {
  std::vector<Callsite> callsites = CallsitesOf(report);
  std::erase_if(callsites, [](const Callsite& callsite) { return IsOver(callsite.sum); });
  if (callsites.empty()) return WithoutSites(report, options);
  const size_t present = callsites.size();
  callsites.resize(std::min(present, options.max_sites));
  uint64_t known = std::max<uint64_t>(report.callsites_total, report.callsites.size());
  if (report.callsites.empty()) known = std::max<uint64_t>(report.sites_total, report.sites.size());
  std::string out = Paint("Call sites", Ink::kBold, options.colour);
  out += fmt::format(" ({})\n",
                     ListedText(callsites.size(), known, ShareOfLive(report, callsites), "known"));
  std::vector<const Site*> rows;
  for (const Callsite& callsite : callsites) rows.push_back(&callsite.sum);
  out += SiteTable(rows, unit, options);
  for (const Callsite& callsite : callsites) {
    out += "\n" + CallsiteDetails(callsite, report, unit, options);
  }
  if (callsites.size() < present) {
    out += fmt::format("\n{} more call sites hold memory: heapgauge report DIR --top {}\n",
                       present - callsites.size(), present);
  }
  return out;
}

// What the governor did.
std::string Governed(const SamplingInfo& sampling) {
  if (sampling.interval_changes == 0) return {};
  if (sampling.interval_bytes <= sampling.asked_interval_bytes) {
    return " (it was wider for a while, to keep within HEAPGAUGE_CPU_BUDGET)";
  }
  return fmt::format(" ({} was asked for; widened to keep within HEAPGAUGE_CPU_BUDGET)",
                     FormatBytes(static_cast<double>(sampling.asked_interval_bytes)));
}

std::string Footer(const Report& report, const TextOptions& options) {
  const SamplingInfo& sampling = report.sampling;
  const bool exact = sampling.interval_bytes == 1;
  const std::string how =
      exact ? "every allocation, exactly"
            : fmt::format("one sample every {} allocated, on average",
                          FormatBytes(static_cast<double>(sampling.interval_bytes))) +
                  Governed(sampling);
  std::string text = fmt::format(
      "Sampling: {}; {} samples, {} of them live, {} dropped; stacks by {}.", how,
      FormatCount(static_cast<double>(sampling.samples)),
      FormatCount(static_cast<double>(sampling.live_samples)),
      sampling.dropped == 0 ? "none" : FormatCount(static_cast<double>(sampling.dropped)),
      sampling.unwind.empty() ? "an unknown unwinder" : Printable(sampling.unwind));
  std::string out = Wrapped(text, "", options.width);
  text = fmt::format("Tracker: {} of memory, {} of CPU time",
                     FormatBytes(static_cast<double>(sampling.memory_bytes)),
                     FormatDuration(sampling.cpu_s));
  if (report.uptime_s > 0)
    text += fmt::format(" ({} of one core)", FormatPercent(sampling.cpu_s / report.uptime_s));
  out += Wrapped(text + ".", "", options.width);
  if (!report.exe.empty()) {
    text = "Program: " + Printable(report.exe);
    if (!report.build_id.empty()) text += ", build-id " + Printable(report.build_id);
    out += text + "\n";
  }
  const char* figures =
      exact ? "" : "Figures are estimates; \"+/-\" and ranges are 95 % intervals. ";
  out += Wrapped(
      fmt::format("{}In stacks, => is the call site and | the allocation machinery it used.",
                  figures),
      "", options.width);
  return Paint(out, Ink::kDim, options.colour);
}

}  // namespace

std::string ToText(const Report& report, const TextOptions& options) {
  const RateUnit unit = RateUnitOf(report);

  std::string out = Title(report, options) + "\n";
  const std::string_view words = VerdictInWords(report.verdict);
  const std::string& distrust = report.sampling.distrust;
  if (!distrust.empty()) {
    out += Paint(Wrapped("NO VERDICT: " + Printable(distrust) + ".", "", options.width), Ink::kRed,
                 options.colour);
  } else {
    out += Paint(words.empty() ? "verdict: " + Printable(report.verdict) : words,
                 InkOf(report.verdict), options.colour);
    out += "\n";
  }
  if (!report.evidence.empty() && report.evidence != distrust)
    out += Wrapped(Printable(report.evidence), "", options.width);
  out += CirclesText(report, options);
  const std::string warnings = Warnings(report, options);
  if (!warnings.empty()) out += "\n" + warnings;
  out += "\n" + Memory(report, unit, options);
  if (const std::string calls = CallsText(report, options); !calls.empty()) out += "\n" + calls;
  out += "\n" + Sites(report, unit, options);
  const std::string notes = Notes(report, options);
  if (!notes.empty()) out += "\n" + notes;
  return out + "\n" + Footer(report, options);
}

}  // namespace heapgauge
