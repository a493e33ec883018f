#include "cli/service_reports.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include "report/json_reader.h"
#include "report/line_file.h"
#include "report/printable.h"

namespace heapgauge::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kReports = "reports.jsonl";
constexpr int kMostLevels = 3;  // of directories below the one that is named

// Behind the value that begins at `at`; npos: the text ends before it does.
size_t BehindValue(std::string_view text, size_t at) {
  size_t levels = 0;
  for (; at < text.size(); ++at) {
    switch (text[at]) {
      case '"':
        for (++at; at < text.size() && text[at] != '"'; ++at) {
          if (text[at] == '\\') ++at;
        }
        if (at >= text.size()) return std::string_view::npos;
        break;
      case '[':
      case '{':
        ++levels;
        break;
      case ']':
      case '}':
        if (levels == 0) return at;
        --levels;
        break;
      case ',':
        if (levels == 0) return at;
        break;
      default:
        break;
    }
  }
  return std::string_view::npos;
}

size_t SkipSpace(std::string_view text, size_t at) {
  while (at < text.size() && (text[at] == ' ' || text[at] == '\t' || text[at] == '\r')) ++at;
  return at;
}

void FindBelow(const fs::path& directory, int levels, std::vector<std::string>* files) {
  std::error_code error;
  if (fs::exists(directory / kReports, error)) {
    files->push_back((directory / kReports).string());
  }
  if (levels == 0) return;
  std::vector<fs::path> below;
  for (fs::directory_iterator it(directory, error), end; !error && it != end; it.increment(error)) {
    std::error_code ignored;
    if (it->is_directory(ignored) && !it->is_symlink(ignored)) below.push_back(it->path());
  }
  std::sort(below.begin(), below.end());
  for (const fs::path& path : below) FindBelow(path, levels - 1, files);
}

}  // namespace

absl::StatusOr<std::vector<std::string>> ReportFilesOf(const std::string& path) {
  std::error_code failure;
  if (!fs::is_directory(path, failure)) {
    if (!fs::exists(path, failure)) {
      return absl::NotFoundError(
          fmt::format("{}: there is no such file or directory", Printable(path)));
    }
    return std::vector<std::string>{path};
  }
  std::vector<std::string> files;
  FindBelow(path, kMostLevels, &files);
  if (files.empty()) {
    return absl::NotFoundError(
        fmt::format("{}: no report directory, and none is in it", Printable(path)));
  }
  return files;
}

std::optional<Report> CallsOfLine(std::string_view line) {
  static constexpr std::array<std::string_view, 11> kWanted = {
      "schema", "sequence", "time",    "final", "pid",    "instance",
      "exe",    "host",     "service", "calls", "circles"};
  std::string part = "{\"sites\":[]";
  size_t at = SkipSpace(line, 0);
  if (at >= line.size() || line[at] != '{') return std::nullopt;
  at = SkipSpace(line, at + 1);
  while (at < line.size() && line[at] != '}') {
    if (line[at] != '"') return std::nullopt;
    const size_t key_end = line.find('"', at + 1);
    if (key_end == std::string_view::npos) return std::nullopt;
    const std::string_view key = line.substr(at + 1, key_end - at - 1);
    const size_t colon = SkipSpace(line, key_end + 1);
    if (colon >= line.size() || line[colon] != ':') return std::nullopt;
    const size_t end = BehindValue(line, colon + 1);
    if (end == std::string_view::npos) return std::nullopt;
    if (std::find(kWanted.begin(), kWanted.end(), key) != kWanted.end()) {
      part.append(",").append(line.substr(at, end - at));
    }
    at = line[end] == ',' ? SkipSpace(line, end + 1) : end;
  }
  if (at >= line.size()) return std::nullopt;
  part += "}";
  std::string error;
  return FromJson(part, &error);
}

std::vector<std::vector<Report>> CallsOfFile(const std::string& file,
                                             std::vector<std::string>* notes) {
  std::vector<std::vector<Report>> processes;
  LineFile lines(file);
  size_t skipped = 0;
  for (Line line; lines.Next(&line);) {
    std::optional<Report> report = CallsOfLine(line.text);
    if (!report) {
      ++skipped;
      continue;
    }
    const bool same = !processes.empty() && processes.back().back().pid == report->pid &&
                      processes.back().back().sequence < report->sequence;
    if (!same) processes.emplace_back();
    processes.back().push_back(std::move(*report));
  }
  if (!lines.Error().empty()) notes->push_back(lines.Error());
  if (skipped > 0) {
    notes->push_back(
        fmt::format("{}: {} lines skipped that are no reports", Printable(file), skipped));
  }
  return processes;
}

}  // namespace heapgauge::cli
