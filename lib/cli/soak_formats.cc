#include <fmt/core.h>

#include <algorithm>

#include "cli/soak_writers.h"
#include "report/json_text.h"
#include "report/printable.h"
#include "report/units.h"

namespace heapgauge::cli {
namespace {

void AddMemory(JsonText* json, std::string_view key, const SoakMemory& memory) {
  json->BeginObject(key)
      .Add("processes", memory.processes)
      .Add("rss_bytes", memory.rss_bytes)
      .Add("live_bytes", memory.live_bytes)
      .Add("rounding_bytes", memory.rounding_bytes)
      .Add("allocator_retained_bytes", memory.retained_bytes)
      .End();
}

void AddFindings(JsonText* json, std::string_view key, const std::vector<SoakFinding>& findings) {
  json->BeginArray(key);
  for (const SoakFinding& finding : findings) {
    json->BeginObject()
        .Add("id", finding.id)
        .Add("verdict", finding.verdict)
        .Add("confidence", finding.confidence)
        .AddPlace(finding.function, finding.file, finding.line)
        .Add("module", finding.module)
        .Add("evidence", finding.evidence)
        .Add("program", finding.program)
        .BeginArray("pids");
    for (const int64_t pid : finding.pids) json->Element(pid);
    json->End()
        .Add("together", finding.together)
        .Add("live_bytes", finding.live_bytes)
        .Add("live_objects", finding.live_objects)
        .Add("growth_bytes", finding.growth_bytes)
        .Add("growth_objects", finding.growth_objects)
        .Add("bytes_per_hour", finding.bytes_per_h)
        .Add("bytes_per_request", finding.bytes_per_request)
        .AddOrNull("objects_per_iteration", finding.objects_each != 0, finding.objects_each)
        .Add("known", finding.known)
        .AddOrNull("held", !finding.held.empty(), finding.held)
        .AddOrNull("lost_share", !finding.held.empty(), finding.lost_share)
        .BeginArray("stack");
    for (const std::string& line : finding.stack) json->Element(line);
    json->End().End();
  }
  json->End();
}

std::string Escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        // XML has no place for the other controls.
        if (static_cast<unsigned char>(c) >= 0x20 || c == '\n' || c == '\t') out += c;
    }
  }
  return out;
}

// A cell of a table, or a line of text, in markdown.
std::string Plain(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\n') {
      out += ' ';
      continue;
    }
    if (std::string_view("\\`*_{}[]<>#|~").find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

// Between fences, which it can't close.
std::string Fenced(std::string text) {
  std::replace(text.begin(), text.end(), '`', '\'');
  return "```\n" + text + "```\n";
}

std::string FindingText(const SoakFinding& finding) {
  std::string text =
      finding.evidence + "\n" +
      fmt::format("{} in {}\n", FormatSignedBytes(finding.growth_bytes), finding.program);
  if (!finding.held.empty()) text += finding.held + "\n";
  for (const std::string& line : finding.stack) text += line + "\n";
  return text;
}

bool IsJudged(const SoakResult& result) {
  return result.status == kSoakLeak || result.status == kSoakNoLeak;
}

}  // namespace

std::string SoakToJson(const SoakResult& result) {
  JsonText json;
  json.BeginObject()
      .Add("schema", "heapgauge.soak/1")
      .Add("verdict", result.verdict)
      .Add("status", result.status)
      .Add("sentence", result.sentence)
      .Add("advice", result.advice)
      .Add("output", result.output)
      .Add("service", result.service)
      .Add("load", result.load)
      .Add("directory", result.directory)
      .Add("began", result.began)
      .Add("duration_s", result.duration_s)
      .Add("warm_up_s", result.warm_up_s)
      .Add("judged_s", result.judged_s)
      .Add("load_runs", result.load_runs)
      .Add("more_runs", result.more_runs)
      .AddOrNull("requests", result.requests && !result.requests_are_loads,
                 result.requests.value_or(0))
      .AddOrNull("iterations", result.iterations != 0, result.iterations);
  if (result.power) {
    const SoakPower& power = *result.power;
    json.BeginObject("would_have_seen")
        .Add("certainty", power.certainty)
        .Add("bytes_per_hour", power.bytes_per_h)
        .Add("bytes_per_request",
             result.requests_are_loads ? std::nullopt : power.bytes_per_request)
        .Add("bytes_per_load", result.requests_are_loads ? power.bytes_per_request : std::nullopt)
        .Add("samples", power.samples)
        .Add("sample_interval_bytes", power.interval_bytes)
        .Add("reports", power.reports)
        .End();
  } else {
    json.Add("would_have_seen", nullptr);
  }
  AddFindings(&json, "leaks", result.leaks);
  AddFindings(&json, "growing", result.growing);
  AddMemory(&json, "before", result.before);
  AddMemory(&json, "after", result.after);
  json.BeginArray("processes");
  for (const SoakProcessLine& line : result.processes) {
    json.BeginObject()
        .Add("pid", line.pid)
        .Add("program", line.program)
        .Add("verdict", line.verdict)
        .Add("reports", line.reports)
        .Add("live_bytes", line.live_bytes)
        .Add("growth_bytes", line.growth_bytes)
        .Add("rss_bytes", line.rss_bytes)
        .Add("ended", line.ended)
        .End();
  }
  json.End().BeginArray("notes");
  for (const std::string& note : result.notes) json.Element(note);
  json.End().End();
  return json.Take() + "\n";
}

std::string SoakToJunit(const SoakResult& result) {
  const bool judged = IsJudged(result);
  size_t failures = 0;
  std::string cases;
  const auto add = [&](const std::string& name, const char* kind, const std::string& message,
                       const std::string& text) {
    cases += fmt::format("    <testcase classname=\"heapgauge.soak\" name=\"{}\" time=\"{:.3f}\"",
                         Escaped(name), result.duration_s);
    if (kind == nullptr) {
      cases += "/>\n";
      return;
    }
    cases += fmt::format(">\n      <{0} message=\"{1}\" type=\"{2}\">{3}</{0}>\n    </testcase>\n",
                         kind, Escaped(message), Escaped(result.verdict), Escaped(text));
  };
  for (const SoakFinding& finding : result.leaks) {
    const bool fails = judged && !finding.known;
    failures += fails ? 1 : 0;
    add("no leak at " + finding.place, fails ? "failure" : nullptr,
        fmt::format("{} leaks", finding.place), FindingText(finding));
  }
  const size_t errors = judged ? 0 : 1;
  if (!judged) {
    add("soak", "error", SoakHeadline(result) + ": " + result.sentence,
        result.output + result.advice);
  } else if (failures == 0) {
    add("no leak", nullptr, "", "");
  }
  const size_t tests = result.leaks.size() + (errors > 0 || failures == 0 ? 1 : 0);
  return fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<testsuites tests=\"{0}\" failures=\"{1}\" errors=\"{2}\">\n"
      "  <testsuite name=\"heapgauge soak\" tests=\"{0}\" failures=\"{1}\" errors=\"{2}\" "
      "timestamp=\"{3}\" time=\"{4:.3f}\">\n{5}"
      "    <system-out>{6}</system-out>\n  </testsuite>\n</testsuites>\n",
      tests, failures, errors, Escaped(result.began), result.duration_s, cases,
      Escaped(SoakToText(result, 100, false)));
}

std::string SoakToMarkdown(const SoakResult& result) {
  const char* const mark = result.status == kSoakNoLeak ? ":white_check_mark:"
                           : result.status == kSoakLeak ? ":x:"
                                                        : ":warning:";
  std::string out = fmt::format("### {} heapgauge soak: {}\n\n", mark, Plain(SoakHeadline(result)));
  out += Fenced(result.service + "\n") + "\n";
  for (const std::string& text :
       {result.sentence, result.advice, PowerSentence(result), LongerSentence(result)}) {
    if (!text.empty()) out += Plain(text) + "\n\n";
  }
  if (!result.output.empty()) out += Fenced(result.output) + "\n";
  const auto table = [&](const std::vector<SoakFinding>& findings) {
    out +=
        "| | call site | growth | an hour | live | program |\n| --- | --- | ---: | ---: | ---: | "
        "--- |\n";
    for (const SoakFinding& finding : findings) {
      out += fmt::format("| {} | {} | {} | {} | {} | {} |\n",
                         finding.known ? "known" : Plain(finding.verdict), Plain(finding.place),
                         FormatSignedBytes(finding.growth_bytes),
                         result.iterations > 0 ? "" : FormatBytes(finding.bytes_per_h),
                         FormatBytes(finding.live_bytes), Plain(finding.program));
    }
    out += "\n";
  };
  if (!result.leaks.empty()) {
    table(result.leaks);
    for (const SoakFinding& finding : result.leaks) {
      out += fmt::format("<details><summary>{}</summary>\n\n{}</details>\n\n",
                         Escaped(finding.place), Fenced(FindingText(finding)));
    }
  }
  if (!result.growing.empty()) {
    out += "Grows, and the cause is open:\n\n";
    table(result.growing);
  }
  if (result.after.processes > 0) {
    out += "| memory | before | at the end | change |\n| --- | ---: | ---: | ---: |\n";
    for (const SoakMemoryRow& row : SoakMemoryRows(result)) {
      out += fmt::format("| {} | {} | {} | {} |\n", row.name, FormatBytes(row.before),
                         FormatBytes(row.after), FormatSignedBytes(row.after - row.before));
    }
    out += "\n";
  }
  for (const std::string& note : result.notes) out += "- " + Plain(note) + "\n";
  return out;
}

std::string SoakToHtml(const SoakResult& result) {
  const char* const colour = result.status == kSoakNoLeak ? "#1a7f37"
                             : result.status == kSoakLeak ? "#cf222e"
                                                          : "#9a6700";
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<title>heapgauge soak: {0}</title>\n"
      "<style>body{{font-family:system-ui,sans-serif;margin:2rem auto;max-width:64rem;padding:0 "
      "1rem}}"
      "h1{{color:{1}}}pre{{overflow-x:auto;background:#f6f8fa;color:#1f2328;padding:1rem}}</"
      "style>\n"
      "</head><body>\n<h1>{2}</h1>\n<p>{3}</p>\n<p>{4}</p>\n<pre>{5}</pre>\n</body></html>\n",
      Escaped(result.service), colour, Escaped(SoakHeadline(result)), Escaped(result.sentence),
      Escaped(PowerSentence(result)), Escaped(SoakToText(result, 100, false)));
}

}  // namespace heapgauge::cli
