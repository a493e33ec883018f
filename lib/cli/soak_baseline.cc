#include "cli/soak_baseline.h"

#include <fcntl.h>
#include <fmt/core.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>

#include "base/descriptor.h"
#include "base/whole_io.h"
#include "report/printable.h"
#include "report/units.h"

namespace heapgauge::cli {
namespace {

using Json = nlohmann::json;

constexpr size_t kMostBytes = size_t{64} << 20;
constexpr double kAsFast = 1.5;

std::string Text(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

double Number(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_number() ? found->get<double>() : 0;
}

}  // namespace

absl::StatusOr<SoakBaseline> ReadSoakBaseline(const std::string& directory) {
  const std::string path = directory + "/soak.json";
  const auto refuse = [&](const std::string& why) {
    return absl::InvalidArgumentError(fmt::format(
        "--baseline {}: {}; it takes the directory of an earlier heapgauge soak that came to its "
        "end",
        Printable(directory), why));
  };
  const Descriptor file(AboveStandard(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)));
  if (!file.valid()) return refuse(fmt::format("no soak.json ({})", std::strerror(errno)));
  std::string text;
  if (!ReadAll(file.get(), kMostBytes, &text)) return refuse(std::strerror(errno));
  const Json root = Json::parse(text, nullptr, false);
  if (!root.is_object() || Text(root, "schema") != "heapgauge.soak/1")
    return refuse("its soak.json is none");
  const double status = Number(root, "status");
  if (status != kSoakNoLeak && status != kSoakLeak)
    return refuse(fmt::format("that soak was not judged ({})", Printable(Text(root, "verdict"))));
  SoakBaseline baseline;
  const auto leaks = root.find("leaks");
  if (leaks == root.end() || !leaks->is_array()) return refuse("its soak.json is none");
  for (const Json& leak : *leaks) {
    if (!leak.is_object()) continue;
    const SoakBaseline::Leak known{Number(leak, "bytes_per_hour"),
                                   Number(leak, "bytes_per_request")};
    baseline.by_id[Text(leak, "id")] = known;
    baseline.by_function[{Text(leak, "function"), Text(leak, "program")}] = known;
  }
  if (const auto processes = root.find("processes"); processes != root.end()) {
    for (const Json& process : *processes) {
      if (process.is_object()) baseline.programs.insert(Text(process, "program"));
    }
  }
  return baseline;
}

void CompareWithBaseline(const SoakBaseline& baseline, SoakResult* result) {
  const bool shared = std::any_of(
      result->processes.begin(), result->processes.end(),
      [&](const SoakProcessLine& process) { return baseline.programs.contains(process.program); });
  if (!shared && !result->processes.empty() && !baseline.programs.empty()) {
    result->notes.push_back(
        fmt::format("the baseline is of another program ({}): nothing is known from it",
                    Printable(*baseline.programs.begin())));
  }
  for (SoakFinding& finding : result->leaks) {
    const SoakBaseline::Leak* before = nullptr;
    if (const auto found = baseline.by_id.find(finding.id); found != baseline.by_id.end()) {
      before = &found->second;
    } else if (const auto same = baseline.by_function.find({finding.function, finding.program});
               !finding.function.empty() && same != baseline.by_function.end()) {
      before = &same->second;
    }
    if (before == nullptr) {
      finding.against_baseline = "The baseline does not have it.";
      continue;
    }
    // By request where both know it: another load is no other leak.
    const bool by_request = before->bytes_per_request > 0 && finding.bytes_per_request &&
                            *finding.bytes_per_request > 0;
    const double was = by_request ? before->bytes_per_request : before->bytes_per_h;
    const double is = by_request ? *finding.bytes_per_request : finding.bytes_per_h;
    finding.known = is <= kAsFast * was;
    finding.against_baseline =
        fmt::format("The baseline leaks there {}: {} {} in place of {}.",
                    finding.known ? "as fast" : "more slowly", FormatBytes(is),
                    by_request ? "a request" : "an hour", FormatBytes(was));
  }
}

}  // namespace heapgauge::cli
