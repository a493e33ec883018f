#include "cli/fill_names.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "base/whole_io.h"
#include "report/callsite.h"
#include "report/json_writer.h"
#include "report/replace_file.h"
#include "report/report_file.h"
#include "report/text_writer.h"
#include "symbolize/symbolizer.h"

namespace heapgauge::cli {
namespace {

constexpr char kLines[] = "reports.jsonl";
constexpr char kText[] = "report.txt";
constexpr size_t kMostBytes = size_t{65} << 20;  // of reports.jsonl, which is rotated at 64 MiB

using Address = std::pair<std::string, uint64_t>;

bool IsUnnamed(const Frame& frame) {
  return frame.function.empty() && !frame.file && !frame.module.empty();
}

// Inside, the program may have been known by the name alone that it was called by.
bool IsProgram(const Report& report, const std::string& module) {
  const auto known = report.modules.find(module);
  return module == report.exe || (known != report.modules.end() && !report.build_id.empty() &&
                                  known->second == report.build_id);
}

template <typename SomeReport, typename Visit>  // a report to read, or to change
void ForEachStack(SomeReport& report, Visit visit) {
  for (auto& site : report.sites) visit(site);
  for (auto& callsite : report.callsites) visit(callsite.sum);
}

// The report may be a hostile program's, which names what it likes.
bool MayBeRead(const std::string& module) {
  struct stat info;
  return module.starts_with('/') && stat(module.c_str(), &info) == 0 && S_ISREG(info.st_mode) &&
         (info.st_uid == 0 || info.st_uid == geteuid()) && (info.st_mode & 0022) == 0;
}

std::map<Address, std::vector<Frame>> LookUp(const Report& report) {
  std::map<std::string, std::string> files;  // by module; "" for what is not to be read
  std::map<Address, std::vector<Frame>> found;
  ForEachStack(report, [&](const Site& site) {
    for (const Frame& frame : site.frames) {
      if (!IsUnnamed(frame) || !report.modules.contains(frame.module)) continue;
      const auto [file, is_new] = files.try_emplace(frame.module);
      if (is_new) {
        const std::string& path = IsProgram(report, frame.module) ? report.exe : frame.module;
        if (MayBeRead(path)) file->second = path;
      }
      if (!file->second.empty()) found[{frame.module, frame.module_offset}];
    }
  });
  std::vector<ModuleAddress> addresses;
  for (const auto& [address, frames] : found) {
    const std::string& build_id = report.modules.at(address.first);
    addresses.push_back({files.at(address.first), build_id, address.second});
  }
  if (addresses.empty()) return found;
  Symbolizer symbolizer(SymbolizeMode::kLines);
  std::vector<std::vector<Frame>> named = symbolizer.Symbolize(addresses);
  if (named.size() != addresses.size()) return {};
  size_t next = 0;
  for (auto& [address, frames] : found) frames = std::move(named[next++]);
  std::erase_if(found, [](const auto& entry) {
    return std::all_of(entry.second.begin(), entry.second.end(), IsUnnamed);
  });
  return found;
}

bool IsOwnDirectory(int directory) {
  struct stat info;
  // Root may finish what a program wrote that has given root up.
  return directory >= 0 && fstat(directory, &info) == 0 &&
         (info.st_uid == geteuid() || geteuid() == 0) && (info.st_mode & 0022) == 0;
}

// All lines but the last.
std::optional<std::string> EarlierLines(int directory) {
  const int file = openat(directory, kLines, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) return std::nullopt;
  std::string text;
  struct stat info;
  const bool whole =
      fstat(file, &info) == 0 && S_ISREG(info.st_mode) && ReadAll(file, kMostBytes, &text);
  close(file);
  if (!whole || text.empty() || text.back() != '\n') return std::nullopt;
  text.pop_back();
  text.resize(text.rfind('\n') + 1);  // npos: 0
  return text;
}

}  // namespace

bool LacksNames(const Report& report) {
  bool has_own = false;
  bool named = false;
  ForEachStack(report, [&](const Site& site) {
    for (const Frame& frame : site.frames) {
      if (!IsProgram(report, frame.module)) continue;
      has_own = true;
      named = named || !IsUnnamed(frame);
    }
  });
  return has_own && !named;
}

bool FillNames(Report* report) {
  const std::map<Address, std::vector<Frame>> found = LookUp(*report);
  if (found.empty()) return false;
  report->modules.try_emplace(report->exe, report->build_id);
  ForEachStack(*report, [&](Site& site) {
    std::vector<Frame> frames;
    for (Frame& frame : site.frames.Edit()) {
      const auto place = found.find({frame.module, frame.module_offset});
      if (IsUnnamed(frame) && place != found.end()) {
        frames.insert(frames.end(), place->second.begin(), place->second.end());
      } else {
        frames.push_back(std::move(frame));
      }
    }
    site.frames = std::move(frames);
    site.callsite = CallsiteIndex(site.frames);
  });
  return true;
}

void FillNamesIn(const std::string& path) {
  std::vector<std::string> notes;
  std::string error;
  std::optional<Report> report = ReadNewestReport(path, &notes, &error);
  if (!report || !notes.empty() || !LacksNames(*report)) return;
  const int directory = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  const std::optional<std::string> earlier =
      IsOwnDirectory(directory) ? EarlierLines(directory) : std::nullopt;
  if (earlier && FillNames(&*report)) {
    ReplaceFile(directory, kText, ToText(*report), FileOwner::kDirectorys);
    ReplaceFile(directory, kLines, *earlier + ToJson(*report) + "\n", FileOwner::kDirectorys);
  }
  if (directory >= 0) close(directory);
}

}  // namespace heapgauge::cli
