#include "report/sarif_writer.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "base/name_hash.h"
#include "heapgauge/heapgauge.h"
#include "report/callsite.h"
#include "report/frame_text.h"
#include "report/json_text.h"
#include "report/percent_text.h"
#include "report/printable.h"
#include "report/units.h"

namespace heapgauge {
namespace {

constexpr size_t kMostFindings = 5000;
constexpr size_t kMostFrames = 100;
constexpr char kRootName[] = "SRCROOT";

const Frame& LineOf(const SarifFinding& finding) {
  return CallsiteFrame(finding.frames, finding.callsite);
}

// A path as a URI reference.
std::string UriOf(std::string_view path) { return PercentEncoded(path, "/"); }

// The members of a location.  The module stands for a source file that is not known.
void AddLocation(const Frame& frame, const std::string& root, JsonText* json) {
  const std::string path = frame.file ? RelativeTo(root, *frame.file) : frame.module;
  if (!path.empty()) {
    const bool absolute = path.front() == '/';
    json->BeginObject("physicalLocation")
        .BeginObject("artifactLocation")
        .Add("uri", (absolute ? "file://" : "") + UriOf(path));
    if (!absolute) json->Add("uriBaseId", kRootName);
    json->End();
    if (frame.file && frame.line) json->BeginObject("region").Add("startLine", *frame.line).End();
    json->End();
  }
  json->BeginArray("logicalLocations")
      .BeginObject()
      .Add("fullyQualifiedName", FullName(frame))
      .Add("kind", "function")
      .End()
      .End();
}

// For each finding which of those of its function it is, in the order of lines.
std::vector<std::string> Fingerprints(const std::vector<SarifFinding>& findings,
                                      const std::vector<SarifRule>& rules,
                                      const std::string& root) {
  std::vector<std::string> places(findings.size());
  std::map<std::string, std::vector<std::tuple<uint32_t, uint64_t, size_t>>> of_function;
  for (size_t i = 0; i < findings.size(); ++i) {
    const Frame& line = LineOf(findings[i]);
    places[i] = fmt::format("{}\n{}\n{}", rules[findings[i].rule].id,
                            line.function.empty() ? ModuleAndOffset(line) : line.function,
                            line.file ? RelativeTo(root, *line.file) : line.module);
    of_function[places[i]].emplace_back(line.line.value_or(0), line.module_offset, i);
  }
  std::vector<std::string> prints(findings.size());
  for (auto& [place, members] : of_function) {
    std::sort(members.begin(), members.end());
    for (size_t nth = 0; nth < members.size(); ++nth) {
      prints[std::get<2>(members[nth])] = fmt::format("{:016x}:{}", NameHash(place), nth + 1);
    }
  }
  return prints;
}

}  // namespace

std::string RelativeTo(std::string_view root, std::string_view file) {
  while (root.size() > 1 && root.back() == '/') root.remove_suffix(1);
  if (root.empty() || !file.starts_with(root)) return std::string(file);
  std::string_view rest = file.substr(root.size());
  if (root != "/" && !rest.starts_with('/')) return std::string(file);
  while (rest.starts_with('/')) rest.remove_prefix(1);
  return rest.empty() ? std::string(file) : std::string(rest);
}

std::string ToSarif(const std::vector<SarifRule>& rules, const std::vector<SarifFinding>& findings,
                    const std::string& source_root) {
  JsonText json;
  json.BeginObject()
      .Add("$schema", "https://json.schemastore.org/sarif-2.1.0.json")
      .Add("version", "2.1.0")
      .BeginArray("runs")
      .BeginObject()
      .BeginObject("tool")
      .BeginObject("driver")
      .Add("name", "heapgauge")
      .Add("semanticVersion", fmt::format("{}.{}.{}", HEAPGAUGE_VERSION_MAJOR,
                                          HEAPGAUGE_VERSION_MINOR, HEAPGAUGE_VERSION_PATCH))
      .BeginArray("rules");
  for (const SarifRule& rule : rules) {
    json.BeginObject().Add("id", rule.id).Add("name", rule.id);
    json.BeginObject("shortDescription").Add("text", rule.summary).End();
    json.BeginObject("defaultConfiguration").Add("level", rule.level).End().End();
  }
  json.End().End().End();
  if (!source_root.empty()) {
    json.BeginObject("originalUriBaseIds").BeginObject(kRootName);
    std::string uri = "file://" + UriOf(source_root);
    if (source_root.front() != '/') uri = UriOf(source_root);
    if (!uri.ends_with('/')) uri += '/';
    json.Add("uri", uri).End().End();
  }
  const std::vector<std::string> prints = Fingerprints(findings, rules, source_root);
  json.BeginArray("results");
  for (size_t i = 0; i < std::min(findings.size(), kMostFindings); ++i) {
    const SarifFinding& finding = findings[i];
    const SarifRule& rule = rules[finding.rule];
    json.BeginObject()
        .Add("ruleId", rule.id)
        .Add("ruleIndex", finding.rule)
        .Add("level", rule.level);
    json.BeginObject("message").Add("text", finding.message).End();
    json.BeginArray("locations").BeginObject();
    AddLocation(LineOf(finding), source_root, &json);
    json.End().End();
    json.BeginObject("partialFingerprints").Add("primaryLocationLineHash", prints[i]).End();
    json.BeginArray("stacks").BeginObject();
    json.BeginObject("message").Add("text", "where it was allocated").End().BeginArray("frames");
    for (size_t at = 0; at < std::min(finding.frames.size(), kMostFrames); ++at) {
      json.BeginObject().Add("module", Printable(finding.frames[at].module));
      json.BeginObject("location");
      AddLocation(finding.frames[at], source_root, &json);
      json.End().End();
    }
    json.End().End().End();
    json.BeginObject("properties")
        .Add("callsite", finding.id)
        .Add("bytes", finding.bytes)
        .End()
        .End();
  }
  json.End().Add("columnKind", "utf16CodeUnits");
  json.BeginObject("properties")
      .Add("findings", findings.size())
      .Add("shown", std::min(findings.size(), kMostFindings))
      .End();
  json.End().End().End();
  return WithControlsEscaped(json.Take()) + "\n";
}

std::string ReportToSarif(const Report& report, const std::string& source_root) {
  const std::vector<SarifRule> rules = {
      {"leak", "Memory that is allocated here piles up and is not freed.", "error"},
      {"growing", "What is allocated here grows; whether it is a leak is open.", "warning"},
  };
  std::vector<SarifFinding> findings;
  for (const Callsite& callsite : CallsitesOf(report)) {
    const Site& sum = callsite.sum;
    if (sum.verdict != "leak" && sum.verdict != "growing") continue;
    SarifFinding finding;
    finding.rule = sum.verdict == "leak" ? 0 : 1;
    finding.frames = sum.frames;
    finding.callsite = sum.callsite;
    finding.id = sum.id;
    finding.bytes = sum.live_bytes;
    finding.message =
        fmt::format("{}: {} live, {} (confidence {}). {}", sum.verdict, FormatBytes(sum.live_bytes),
                    FormatRate(sum.growth_bytes_per_s, ChooseRateUnit(sum.growth_bytes_per_s)),
                    FormatPercent(sum.confidence), Printable(sum.evidence));
    findings.push_back(std::move(finding));
  }
  return ToSarif(rules, findings, source_root);
}

}  // namespace heapgauge
