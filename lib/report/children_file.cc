#include "report/children_file.h"

#include <fmt/core.h>
#include <sys/stat.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <unordered_map>

#include "base/basename.h"
#include "report/json_text.h"
#include "report/line_file.h"
#include "report/printable.h"
#include "report/units.h"

namespace heapgauge {
namespace {

using Json = nlohmann::json;

constexpr size_t kMostLine = 4096;
constexpr size_t kMostPrograms = 200;
constexpr size_t kMostCallsites = 200;  // of a program
constexpr char kOthers[] = "(others)";
constexpr size_t kShownPrograms = 10;

double Number(const Json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_number()) return 0;
  const double value = found->get<double>();
  return std::isfinite(value) && value > 0 ? value : 0;
}

std::string Text(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

class Sums final {
 public:
  bool Add(const Line& line) {
    if (!line.complete || line.text.size() > kMostLine) return false;
    const Json child = Json::parse(line.text, nullptr, false);
    if (!child.is_object() || !child.contains("pid")) return false;
    std::string exe = Text(child, "exe");
    if (exe.empty()) return false;
    if (programs_.size() >= kMostPrograms && programs_.find(exe) == programs_.end()) exe = kOthers;
    ChildProgram& program = programs_[exe];
    program.exe = exe;
    ++program.count;
    const double lifetime_s = Number(child, "lifetime_s");
    const double live = Number(child, "live_bytes");
    program.lifetime_s += lifetime_s;
    program.lifetime_max_s = std::max(program.lifetime_max_s, lifetime_s);
    program.live_bytes += live;
    program.live_max_bytes = std::max(program.live_max_bytes, live);
    program.allocated_bytes += Number(child, "allocated_bytes");
    program.failed += Number(child, "exit") != 0 ? 1 : 0;
    if (const auto site = child.find("callsite"); site != child.end() && site->is_object()) {
      AddCallsite(*site, &program);
    }
    return true;
  }

  std::vector<ChildProgram> Take() {
    std::vector<ChildProgram> all;
    for (auto& [exe, program] : programs_) all.push_back(std::move(program));
    std::sort(all.begin(), all.end(), [](const ChildProgram& a, const ChildProgram& b) {
      return a.allocated_bytes != b.allocated_bytes ? a.allocated_bytes > b.allocated_bytes
                                                    : a.exe < b.exe;
    });
    return all;
  }

 private:
  static void AddCallsite(const Json& site, ChildProgram* program) {
    const std::string module = Text(site, "module");
    const auto offset = site.find("offset");
    if (module.empty() || offset == site.end() || !offset->is_number_unsigned()) return;
    const std::pair<std::string, uint64_t> key(module, offset->get<uint64_t>());
    if (program->callsites.size() >= kMostCallsites && !program->callsites.contains(key)) return;
    ChildCallsite& sum = program->callsites[key];
    sum.module = key.first;
    sum.offset = key.second;
    ++sum.children;
    sum.live_bytes += Number(site, "live_bytes");
  }

  std::unordered_map<std::string, ChildProgram> programs_;
};

std::string Where(const ChildCallsite& site) {
  const std::string place = fmt::format("{}+{:#x}", Printable(Basename(site.module)), site.offset);
  return site.function.empty() ? place : fmt::format("{} ({})", Printable(site.function), place);
}

}  // namespace

const ChildCallsite* ChildProgram::Largest() const {
  const auto found =
      std::max_element(callsites.begin(), callsites.end(), [](const auto& a, const auto& b) {
        return a.second.live_bytes != b.second.live_bytes
                   ? a.second.live_bytes < b.second.live_bytes
                   : a.second.children < b.second.children;
      });
  return found == callsites.end() ? nullptr : &found->second;
}

ChildrenSummary ReadChildren(const std::string& path) {
  ChildrenSummary summary;
  Sums sums;
  for (const char* name : {"children.jsonl.1", "children.jsonl"}) {
    const std::string file_path = path + "/" + name;
    struct stat status {};
    if (stat(file_path.c_str(), &status) != 0) continue;
    LineFile file(file_path, false);
    Line line;
    while (file.Next(&line)) {
      if (sums.Add(line)) {
        ++summary.count;
      } else {
        ++summary.skipped;
      }
    }
  }
  summary.programs = sums.Take();
  for (const ChildProgram& program : summary.programs) {
    summary.live_bytes += program.live_bytes;
    summary.allocated_bytes += program.allocated_bytes;
  }
  return summary;
}

std::string ChildrenText(const ChildrenSummary& children) {
  if (children.count == 0) return {};
  std::string text =
      fmt::format("\nShort-lived children: {}, {} allocated, {} alive at their ends.\n",
                  FormatCount(static_cast<double>(children.count)),
                  FormatBytes(children.allocated_bytes), FormatBytes(children.live_bytes));
  for (size_t i = 0; i < std::min(kShownPrograms, children.programs.size()); ++i) {
    const ChildProgram& program = children.programs[i];
    text += fmt::format(
        "  {}: {}, {} on average, {} at most; {} allocated, {} alive at their ends (at most {} of "
        "one){}\n",
        Printable(Basename(program.exe)), FormatCount(static_cast<double>(program.count)),
        FormatDuration(program.lifetime_s / static_cast<double>(program.count)),
        FormatDuration(program.lifetime_max_s), FormatBytes(program.allocated_bytes),
        FormatBytes(program.live_bytes), FormatBytes(program.live_max_bytes),
        program.failed == 0 ? ""
                            : fmt::format("; {} ended with another status than 0", program.failed));
    if (const ChildCallsite* const site = program.Largest()) {
      text += fmt::format("    most at {}: {} of {} of them\n", Where(*site),
                          FormatBytes(site->live_bytes),
                          FormatCount(static_cast<double>(site->children)));
    }
  }
  if (children.programs.size() > kShownPrograms) {
    text += fmt::format("  and {} more programs\n", children.programs.size() - kShownPrograms);
  }
  return text;
}

std::string ChildrenJson(const ChildrenSummary& children) {
  JsonText json_text;
  json_text.BeginObject()
      .Add("count", children.count)
      .Add("allocated_bytes", children.allocated_bytes)
      .Add("live_bytes", children.live_bytes)
      .BeginArray("programs");
  for (const ChildProgram& program : children.programs) {
    json_text.BeginObject()
        .Add("exe", program.exe)
        .Add("count", program.count)
        .Add("failed", program.failed)
        .Add("lifetime_mean_s", program.lifetime_s / static_cast<double>(program.count))
        .Add("lifetime_max_s", program.lifetime_max_s)
        .Add("allocated_bytes", program.allocated_bytes)
        .Add("live_bytes", program.live_bytes)
        .Add("live_max_bytes", program.live_max_bytes);
    if (const ChildCallsite* const site = program.Largest()) {
      json_text.BeginObject("callsite")
          .Add("function", site->function)
          .Add("module", site->module)
          .Add("offset", site->offset)
          .Add("children", site->children)
          .Add("live_bytes", site->live_bytes)
          .End();
    } else {
      json_text.Add("callsite", nullptr);
    }
    json_text.End();
  }
  json_text.End().End();
  return json_text.Take();
}

}  // namespace heapgauge
