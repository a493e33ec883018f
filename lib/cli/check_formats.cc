#include "cli/check_formats.h"

#include <fmt/core.h>

#include <algorithm>

#include "report/callsite.h"
#include "report/frame_text.h"
#include "report/json_text.h"
#include "report/printable.h"
#include "report/sarif_writer.h"
#include "report/units.h"

namespace heapgauge::cli {
namespace {

constexpr size_t kMostFrames = 64;
constexpr size_t kMostMembers = 10;
constexpr size_t kMostAnnotations = 10;  // of one kind, of a step: GitHub drops what is more

LostSum Together(const LostSum& a, const LostSum& b) {
  return {a.objects + b.objects, a.bytes + b.bytes};
}

const Frame& LineOf(const LostGroup& group) { return CallsiteFrame(group.frames, group.callsite); }

std::string Headline(const LostGroup& group) {
  const std::string place = PlaceName(group.frames, group.callsite);
  std::string text = group.is_ring ? fmt::format("lost in rings: {}, among them from {}",
                                                 SumText(group.direct), place)
                                   : fmt::format("lost: {}, from {}", SumText(group.direct), place);
  if (group.indirect.objects > 0) text += fmt::format("; {} hang on it", SumText(group.indirect));
  return text;
}

std::vector<std::pair<std::string, LostSum>> Members(const LostGroup& group) {
  std::vector<std::pair<std::string, LostSum>> members(group.members.begin(), group.members.end());
  std::stable_sort(members.begin(), members.end(),
                   [](const auto& a, const auto& b) { return a.second.bytes > b.second.bytes; });
  return members;
}

std::string FrameLine(const Frame& frame, const std::string& root) {
  Frame shown = frame;
  if (shown.file) shown.file = RelativeTo(root, *shown.file);
  std::string where = FileAndLine(shown, true);
  if (where.empty()) where = ModuleAndOffset(frame);
  return FullName(frame) + "  " + where;
}

std::string ToText(const CheckResult& result, const Suppressions& suppressions,
                   const CheckPage& page) {
  std::string text;
  for (const LostGroup& group : result.groups) {
    text += Headline(group) + "\n";
    for (size_t i = 0; i < std::min(group.frames.size(), kMostFrames); ++i) {
      text += fmt::format("  {:>3} {}\n", fmt::format("#{}", i),
                          FrameLine(group.frames[i], page.source_root));
    }
    const auto members = Members(group);
    for (size_t i = 0; i < std::min(members.size(), kMostMembers); ++i) {
      text += fmt::format("      {}: {} from {}\n", group.is_ring ? "in it" : "hangs on it",
                          SumText(members[i].second), members[i].first);
    }
    if (members.size() > kMostMembers) {
      text += fmt::format("      and {} more places\n", members.size() - kMostMembers);
    }
    text += "\n";
  }
  for (const Suppressions::Rule& rule : suppressions.rules()) {
    text += rule.objects == 0
                ? fmt::format("suppression not used: leak:{}\n", Printable(rule.pattern))
                : fmt::format("suppressed: {} by leak:{}\n", SumText({rule.objects, rule.bytes}),
                              Printable(rule.pattern));
  }
  LostSum checked;
  for (const LostProcess& process : result.processes) checked = Together(checked, process.checked);
  text += fmt::format("{} were alive at the end of {}; {} lost", SumText(checked),
                      result.processes.size() == 1
                          ? "the process"
                          : fmt::format("{} processes", result.processes.size()),
                      result.lost.objects == 0 ? "none of them is" : SumText(result.lost) + " are");
  if (result.suppressed.objects > 0) {
    text += fmt::format("; {} more are suppressed", SumText(result.suppressed));
  }
  return text + "\n";
}

void AddSum(JsonText* json, const LostSum& sum, const std::string& before = {}) {
  json->Add(before + "objects", sum.objects).Add(before + "bytes", sum.bytes);
}

void AddFrame(JsonText* json, const Frame& frame, const std::string& root) {
  json->Add("function", Printable(frame.function))
      .AddOrNull("file", frame.file.has_value(),
                 frame.file ? RelativeTo(root, *frame.file) : std::string())
      .AddOrNull("line", frame.line.has_value(), frame.line.value_or(0))
      .Add("module", frame.module)
      .Add("module_offset", frame.module_offset);
}

std::string ToJson(const CheckResult& result, const Suppressions& suppressions,
                   const CheckPage& page) {
  JsonText json;
  json.BeginObject()
      .Add("schema", "heapgauge.check/1")
      .Add("command", page.command)
      .Add("command_status", page.command_status);
  AddSum(&json, result.lost, "lost_");
  AddSum(&json, result.suppressed, "suppressed_");
  json.BeginArray("callsites");
  for (const LostGroup& group : result.groups) {
    json.BeginObject().Add("id", group.id);
    AddFrame(&json, LineOf(group), page.source_root);
    json.Add("kind", group.is_ring ? "ring" : "lost");
    AddSum(&json, group.direct);
    AddSum(&json, group.indirect, "indirect_");
    json.BeginArray("members");
    for (const auto& [place, sum] : Members(group)) {
      json.BeginObject().Add("place", place);
      AddSum(&json, sum);
      json.End();
    }
    json.End().BeginArray("frames");
    for (const Frame& frame : group.frames) {
      json.BeginObject();
      AddFrame(&json, frame, page.source_root);
      json.Add("inlined", frame.inlined).End();
    }
    json.End().End();
  }
  json.End().BeginArray("suppressions");
  for (const Suppressions::Rule& rule : suppressions.rules()) {
    json.BeginObject().Add("template", rule.pattern);
    AddSum(&json, {rule.objects, rule.bytes});
    json.End();
  }
  json.End().BeginArray("processes");
  for (const LostProcess& process : result.processes) {
    json.BeginObject().Add("pid", process.pid).Add("exe", process.exe);
    AddSum(&json, process.checked, "checked_");
    AddSum(&json, process.lost, "lost_");
    json.Add("dropped", process.dropped).End();
  }
  json.End().End();
  return json.Take() + "\n";
}

std::string CheckToSarif(const CheckResult& result, const CheckPage& page) {
  const std::vector<SarifRule> rules = {
      {"lost-memory", "Nothing points to the memory any more, so nobody can free it.", "error"},
      {"lost-ring", "Objects point to each other and nothing else points to any of them.", "error"},
  };
  std::vector<SarifFinding> findings;
  for (const LostGroup& group : result.groups) {
    SarifFinding finding;
    finding.rule = group.is_ring ? 1 : 0;
    finding.message = Headline(group);
    finding.frames = group.frames;
    finding.callsite = group.callsite;
    finding.id = group.id;
    finding.bytes = group.direct.bytes + group.indirect.bytes;
    findings.push_back(std::move(finding));
  }
  return ToSarif(rules, findings, page.source_root);
}

std::string Xml(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else if (c == '"') {
      out += "&quot;";
    } else if (static_cast<unsigned char>(c) >= 0x20 || c == '\n') {
      out += c;
    }
  }
  return out;
}

std::string ToJunit(const CheckResult& result, const CheckPage& page) {
  const size_t failures = result.groups.size();
  const size_t tests = std::max<size_t>(1, failures);
  const std::string counts =
      fmt::format("tests=\"{}\" failures=\"{}\" errors=\"0\" skipped=\"0\"", tests, failures);
  std::string text = fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"heapgauge check\" {}>\n"
      "  <testsuite name=\"{}\" {}>\n",
      counts, Xml(Printable(page.command)), counts);
  for (const LostGroup& group : result.groups) {
    const Frame& line = LineOf(group);
    std::string stack;
    for (size_t i = 0; i < std::min(group.frames.size(), kMostFrames); ++i) {
      stack += fmt::format("#{} {}\n", i, FrameLine(group.frames[i], page.source_root));
    }
    std::string place;
    if (line.file) {
      place = fmt::format(" file=\"{}\"", Xml(Printable(RelativeTo(page.source_root, *line.file))));
      if (line.line) place += fmt::format(" line=\"{}\"", *line.line);
    }
    text += fmt::format(
        "    <testcase name=\"{}\" classname=\"heapgauge.check.{}\"{}>\n"
        "      <failure type=\"{}\" message=\"{}\">{}</failure>\n    </testcase>\n",
        Xml(PlaceName(group.frames, group.callsite)), group.id, place,
        group.is_ring ? "lost-ring" : "lost-memory", Xml(Headline(group)), Xml(stack));
  }
  if (failures == 0) {
    text += "    <testcase name=\"nothing is lost\" classname=\"heapgauge.check\"/>\n";
  }
  return text + "  </testsuite>\n</testsuites>\n";
}

std::string ForGithub(std::string_view text, bool property) {
  std::string out;
  for (const char c : text) {
    const bool special = c == '%' || c == '\r' || c == '\n' || (property && (c == ':' || c == ','));
    out += special ? fmt::format("%{:02X}", static_cast<unsigned char>(c)) : std::string(1, c);
  }
  return out;
}

std::string ToGithub(const CheckResult& result, const CheckPage& page) {
  std::string text;
  for (size_t i = 0; i < std::min(result.groups.size(), kMostAnnotations); ++i) {
    const LostGroup& group = result.groups[i];
    const Frame& line = LineOf(group);
    std::string properties;
    if (line.file) {
      properties =
          "file=" + ForGithub(Printable(RelativeTo(page.source_root, *line.file)), true) + ",";
      if (line.line) properties += fmt::format("line={},", *line.line);
    }
    text += fmt::format("::error {}title=memory is lost::{}\n", properties,
                        ForGithub(Headline(group), false));
  }
  if (result.groups.size() > kMostAnnotations) {
    text += fmt::format("::notice title=memory is lost::and at {} more call sites\n",
                        result.groups.size() - kMostAnnotations);
  }
  return text;
}

}  // namespace

const std::vector<std::string>& CheckFormats() {
  static const std::vector<std::string> formats = {"text", "json", "sarif", "junit", "github"};
  return formats;
}

std::string SumText(const LostSum& sum) {
  return fmt::format("{} {}, {}", FormatCount(static_cast<double>(sum.objects)),
                     sum.objects == 1 ? "object" : "objects", FormatBytes(sum.bytes));
}

std::string RenderCheck(std::string_view format, const CheckResult& result,
                        const Suppressions& suppressions, const CheckPage& page) {
  if (format == "json") return ToJson(result, suppressions, page);
  if (format == "sarif") return CheckToSarif(result, page);
  if (format == "junit") return ToJunit(result, page);
  if (format == "github") return ToGithub(result, page);
  return ToText(result, suppressions, page);
}

}  // namespace heapgauge::cli
