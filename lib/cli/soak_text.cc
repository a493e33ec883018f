#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "cli/soak_power.h"
#include "cli/soak_writers.h"
#include "report/text_style.h"
#include "report/units.h"

namespace heapgauge::cli {
namespace {

constexpr size_t kMostShown = 8;
constexpr double kKiB = 1024;

std::string PerRequest(const SoakResult& result, double bytes) {
  return fmt::format("{} a {}", FormatBytes(bytes),
                     result.requests_are_loads ? "run of LOAD" : "request");
}

std::string PidList(const std::vector<int64_t>& pids) {
  std::string text = pids.size() == 1 ? "process" : "processes";
  constexpr size_t kMost = 6;
  for (size_t i = 0; i < pids.size() && i < kMost; ++i)
    text += fmt::format("{} {}", i == 0 ? "" : ",", pids[i]);
  if (pids.size() > kMost) text += fmt::format(" and {} more", pids.size() - kMost);
  return text;
}

std::string Finding(const SoakResult& result, const SoakFinding& finding, size_t width,
                    bool colour) {
  std::string head = finding.verdict == "leak" ? "LEAK" : finding.verdict;
  if (finding.known) head = "leak, known from the baseline";
  std::string out = "  " + Paint(head, InkOf(finding.known ? "ok" : finding.verdict), colour) +
                    "  " + Paint(finding.place, Ink::kBold, colour) + "\n";
  std::string figures;
  if (result.iterations > 0) {
    figures = fmt::format("{}, {}", finding.evidence, finding.program);
  } else {
    figures = fmt::format("{} in {}, {} an hour", FormatSignedBytes(finding.growth_bytes),
                          FormatDuration(result.judged_s), FormatBytes(finding.bytes_per_h));
    if (finding.bytes_per_request) figures += ", " + PerRequest(result, *finding.bytes_per_request);
    figures += fmt::format("; {} live in {} objects", FormatBytes(finding.live_bytes),
                           FormatCount(finding.live_objects));
    if (finding.verdict == "leak")
      figures += fmt::format("; confidence {}", FormatPercent(finding.confidence));
    figures += fmt::format("; {}, {}{}", finding.program, PidList(finding.pids),
                           finding.together ? " together" : "");
  }
  out += Wrapped(figures, "      ", width);
  if (result.iterations == 0 && !finding.evidence.empty())
    out += Wrapped(finding.evidence, "      ", width);
  const std::string& held = finding.verdict == "leak" ? finding.held : finding.held_briefly;
  // The verdict may rest on it, and say the same.
  const bool said = finding.evidence.starts_with("nothing points") &&
                    held.starts_with("nothing points") && held.find(';') == std::string::npos;
  if (!held.empty() && !said) out += Wrapped(held, "      ", width);
  if (!finding.against_baseline.empty()) out += Wrapped(finding.against_baseline, "      ", width);
  if (finding.verdict == "leak") {
    for (const std::string& line : finding.stack) out += "      " + line + "\n";
  }
  return out;
}

std::string Findings(const SoakResult& result, const std::vector<SoakFinding>& findings,
                     size_t width, bool colour) {
  std::string out;
  for (size_t i = 0; i < findings.size() && i < kMostShown; ++i)
    out += Finding(result, findings[i], width, colour);
  if (findings.size() > kMostShown)
    out += fmt::format("  and {} more\n", findings.size() - kMostShown);
  return out;
}

std::string Memory(const SoakResult& result, bool colour) {
  using Align = Table::Align;
  if (result.after.processes == 0) return {};
  const std::vector<SoakMemoryRow> rows = SoakMemoryRows(result);
  const auto indented = [](size_t i, const SoakMemoryRow& row) {
    return std::string(i == 0 ? "" : "  ") + row.name;
  };
  const char* const shared =
      result.after.processes > 1 ? "  (what processes share counts for each of them)\n" : "";
  if (result.before.processes == 0) {  // it ended before there was anything to compare with
    Table table({Align::kLeft, Align::kRight});
    table.Add({{"where RSS went", Ink::kBold}, {"at the end", Ink::kDim}});
    for (size_t i = 0; i < rows.size(); ++i)
      table.Add({{indented(i, rows[i])}, {FormatBytes(rows[i].after)}});
    return table.Render("  ", colour) + shared;
  }
  Table table({Align::kLeft, Align::kRight, Align::kRight, Align::kRight});
  table.Add({{"where RSS went", Ink::kBold},
             {result.iterations > 0 ? "after the first" : "after warm-up", Ink::kDim},
             {"at the end", Ink::kDim},
             {"change", Ink::kDim}});
  for (size_t i = 0; i < rows.size(); ++i) {
    table.Add({{indented(i, rows[i])},
               {FormatBytes(rows[i].before)},
               {FormatBytes(rows[i].after)},
               {FormatSignedBytes(rows[i].after - rows[i].before)}});
  }
  return table.Render("  ", colour) + shared;
}

std::string Processes(const SoakResult& result, bool colour) {
  using Align = Table::Align;
  if (result.processes.size() < 2) return {};
  Table table({Align::kRight, Align::kLeft, Align::kLeft, Align::kRight, Align::kRight});
  table.Add({{"process", Ink::kDim},
             {"program", Ink::kDim},
             {"verdict", Ink::kDim},
             {"live", Ink::kDim},
             {"growth", Ink::kDim}});
  constexpr size_t kMost = 12;
  for (size_t i = 0; i < result.processes.size() && i < kMost; ++i) {
    const SoakProcessLine& line = result.processes[i];
    table.Add({{std::to_string(line.pid)},
               {line.program + (line.ended ? " (ended)" : "")},
               {line.verdict, InkOf(line.verdict)},
               {FormatBytes(line.live_bytes)},
               {FormatSignedBytes(line.growth_bytes)}});
  }
  std::string out = table.Render("  ", colour);
  if (result.processes.size() > kMost)
    out += fmt::format("  and {} more processes\n", result.processes.size() - kMost);
  return out;
}

std::string Course(const SoakResult& result) {
  std::string text;
  if (result.iterations > 0) {
    text = fmt::format("{} iterations, after {} that were left out, every allocation counted",
                       result.iterations, result.cut_iterations);
  } else if (result.duration_s <= 0) {
    return "LOAD was not started.";
  } else {
    text = fmt::format("{} of load, ", FormatDuration(result.duration_s));
    text += result.in_warm_up ? "the warm-up was not over"
                              : fmt::format("{} of them judged", FormatDuration(result.judged_s));
  }
  text += fmt::format("; LOAD ended well {} {}", result.load_runs,
                      result.load_runs == 1 ? "time" : "times");
  if (result.more_runs > 0)
    text += fmt::format(", {} of them to tell a leak from what fills up", result.more_runs);
  if (result.requests && !result.requests_are_loads)
    text += fmt::format("; {} requests{}", FormatCount(*result.requests),
                        result.in_warm_up ? "" : " in the judged part");
  return text + ".";
}

// A round size that is not more.
double RoundDown(double bytes) {
  const double unit = bytes >= kKiB * kKiB ? kKiB * kKiB : bytes >= kKiB ? kKiB : 1;
  const double figure = bytes / unit;
  const double ten = std::pow(10, std::floor(std::log10(std::max(figure, 1.0))));
  const double lead = std::floor(figure / ten);
  return (lead >= 5 ? 5 : lead >= 2 ? 2 : 1) * ten * unit;
}

}  // namespace

std::vector<SoakMemoryRow> SoakMemoryRows(const SoakResult& result) {
  const SoakMemory& before = result.before;
  const SoakMemory& after = result.after;
  std::vector<SoakMemoryRow> rows = {
      {"resident (RSS)", before.rss_bytes, after.rss_bytes},
      {"live heap", before.live_bytes, after.live_bytes},
      {"headers, rounding", before.rounding_bytes, after.rounding_bytes},
      {"kept by the allocator", before.retained_bytes, after.retained_bytes}};
  // Untouched pages of large blocks are live but not resident.
  const double absent_before = std::max(0.0, -before.Rest());
  const double absent_after = std::max(0.0, -after.Rest());
  constexpr double kWorthARow = 0.01;
  if (absent_before > kWorthARow * before.rss_bytes || absent_after > kWorthARow * after.rss_bytes)
    rows.push_back({"of it not resident", absent_before, absent_after});
  rows.push_back(
      {"stacks, code, mappings", std::max(0.0, before.Rest()), std::max(0.0, after.Rest())});
  return rows;
}

std::string SoakHeadline(const SoakResult& result) {
  std::string verdict = result.verdict;
  std::transform(verdict.begin(), verdict.end(), verdict.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
  if (result.status != kSoakLeak) return verdict;
  const auto fresh =
      static_cast<size_t>(std::count_if(result.leaks.begin(), result.leaks.end(),
                                        [](const SoakFinding& finding) { return !finding.known; }));
  return fmt::format("{} at {} call {}", verdict, fresh, fresh == 1 ? "site" : "sites");
}

std::string PowerSentence(const SoakResult& result) {
  if (result.iterations > 0) {
    if (result.status != kSoakNoLeak && result.status != kSoakLeak) return {};
    return "A leak of one object an iteration would have been found.";
  }
  if (!result.power) return {};
  const SoakPower& power = *result.power;
  std::string size;
  if (power.bytes_per_request) size = PerRequest(result, *power.bytes_per_request) + " or ";
  return fmt::format("A leak of {}{} an hour would have been found with {} certainty.", size,
                     FormatBytes(power.bytes_per_h), FormatPercent(power.certainty));
}

std::string LongerSentence(const SoakResult& result) {
  if (!result.power || result.iterations > 0 || result.judged_s <= 0) return {};
  const SoakPower& power = *result.power;
  const double whole = result.duration_s / result.judged_s;
  std::string text = "To see smaller ones: ";
  double size = power.bytes_per_h / 2;
  for (int i = 0; i < 3; ++i, size /= 10) {
    size = RoundDown(size);
    const double seconds = SecondsToSee(size, power.interval_bytes) * whole;
    text += fmt::format("{}{} an hour with --duration {}", i == 0 ? "" : ", ", FormatBytes(size),
                        seconds >= 2 * 3600 ? fmt::format("{}h", std::ceil(seconds / 3600))
                        : seconds >= 120    ? fmt::format("{}m", std::ceil(seconds / 60))
                                            : fmt::format("{}s", std::ceil(seconds)));
  }
  if (power.interval_bytes > kKiB) {
    const long long bytes = std::llround(power.interval_bytes / 8);
    text += "; or each an eighth of it with --sample-interval " +
            (bytes % 1024 == 0 ? fmt::format("{}KiB", bytes / 1024) : fmt::format("{}", bytes));
  }
  return text + ".";
}

std::string SoakToText(const SoakResult& result, size_t width, bool colour) {
  const Ink ink = result.status == kSoakNoLeak ? Ink::kGreen
                  : result.status == kSoakLeak ? Ink::kRed
                                               : Ink::kYellow;
  std::string out = Paint("heapgauge soak: " + result.service, Ink::kBold, colour) + "\n";
  out += Wrapped(Course(result), "", width) + "\n";
  out += Paint(SoakHeadline(result), ink, colour) + "\n";
  if (!result.sentence.empty()) out += Wrapped(result.sentence, "", width);
  out += result.output;
  if (!result.advice.empty()) out += Wrapped(result.advice, "", width);
  const std::string power = PowerSentence(result);
  if (!power.empty()) {
    out += Wrapped(power, "", width);
    const std::string longer = LongerSentence(result);
    if (!longer.empty()) out += Wrapped(longer, "", width);
  }
  if (!result.leaks.empty()) out += "\n" + Findings(result, result.leaks, width, colour);
  if (!result.growing.empty()) {
    out += "\nGrows, and the cause is open:\n" + Findings(result, result.growing, width, colour);
  }
  for (const std::string& part : {Memory(result, colour), Processes(result, colour)}) {
    if (!part.empty()) out += "\n" + part;
  }
  if (!result.notes.empty()) out += "\n";
  for (const std::string& note : result.notes) out += Wrapped("Note: " + note, "", width);
  out += fmt::format("\nreports, logs and soak.json: {}\n", result.directory);
  return out;
}

}  // namespace heapgauge::cli
