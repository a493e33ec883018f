#include "report/report_file.h"

#include <fmt/core.h>
#include <sys/stat.h>

#include <algorithm>
#include <deque>
#include <filesystem>
#include <system_error>
#include <tuple>

#include "report/history_batch.h"
#include "report/history_file.h"
#include "report/json_reader.h"
#include "report/line_file.h"
#include "report/printable.h"

namespace heapgauge {
namespace {

namespace fs = std::filesystem;

// How many lines from the end are tried before the whole file is.
constexpr size_t kTail = 3;

bool Exists(const std::string& path) {
  struct stat status {};
  return stat(path.c_str(), &status) == 0;
}

// A name for a file that is no reports.jsonl but that people may well pass; "" if it is none of
// those.
std::string KnownForeigner(const std::string& path, std::string_view first_line) {
  const std::string shown = Printable(path);
  if (first_line.starts_with("\x1f\x8b")) {
    return fmt::format(
        "{} is compressed: a profile is read from its file alone, not through a pipe or as a "
        "reports.jsonl",
        shown);
  }
  if (first_line.starts_with("heapgauge report")) {
    return fmt::format(
        "{} is a text report already; name its directory, or the reports.jsonl in it", shown);
  }
  return {};
}

// What was skipped in one file: the first few by name, the rest counted.
class Damage final {
 public:
  explicit Damage(const std::string& path) : path_(Printable(path)) {}

  void Add(const Line& line, const std::string& reason) {
    constexpr size_t kNamed = 5;
    if (++count_ > kNamed) return;
    // Without a line break the writer was interrupted, or is at it; what it wrote before counts.
    const std::string why = line.complete ? reason : fmt::format("it is torn ({})", reason);
    notes_.push_back(fmt::format("{} line {} skipped: {}", path_, line.number, why));
  }

  void AppendTo(std::vector<std::string>* notes) const {
    notes->insert(notes->end(), notes_.begin(), notes_.end());
    if (count_ > notes_.size()) {
      notes->push_back(fmt::format("{}: {} more lines skipped", path_, count_ - notes_.size()));
    }
  }

 private:
  std::string path_;
  std::vector<std::string> notes_;
  size_t count_ = 0;
};

// Visits the reports of one file.  False with *error when it holds none.
bool ForEachInFile(const std::string& path, bool pipes, const std::function<bool(Report&&)>& visit,
                   std::vector<std::string>* notes, std::string* error) {
  LineFile file(path, pipes);
  Line line;
  Damage damage(path);
  bool found = false;
  bool stopped = false;
  error->clear();
  while (!stopped && file.Next(&line)) {
    std::string reason;
    std::optional<Report> report = FromJson(line.text, &reason);
    if (report) {
      found = true;
      stopped = !visit(std::move(*report));
      continue;
    }
    if (line.number == 1) {
      *error = KnownForeigner(path, line.text);
      if (!error->empty()) return false;
    }
    damage.Add(line, reason);
    if (error->empty()) {
      *error = fmt::format("no report in {}: line {}: {}", Printable(path), line.number, reason);
    }
  }
  if (found) {
    damage.AppendTo(notes);
    if (!file.Error().empty()) notes->push_back(file.Error());
    return true;
  }
  if (!file.Error().empty()) {
    *error = file.Error();
  } else if (error->empty()) {
    *error = fmt::format(
        "{} is empty: no report has been written yet (one comes every HEAPGAUGE_REPORT_INTERVAL "
        "and one at exit)",
        Printable(path));
  }
  return false;
}

// The newest report of one file, from its last lines alone if they are sound.
std::optional<Report> NewestInFile(const std::string& path, bool pipes,
                                   std::vector<std::string>* notes, std::string* error) {
  std::deque<Line> tail;
  {
    LineFile file(path, pipes);
    Line line;
    while (file.Next(&line)) {
      tail.push_back(std::move(line));
      if (tail.size() > kTail) tail.pop_front();
    }
    if (!file.Error().empty()) {
      *error = file.Error();
      return std::nullopt;
    }
  }
  Damage damage(path);
  std::string reason;
  for (; !tail.empty(); tail.pop_back()) {
    std::optional<Report> report = FromJson(tail.back().text, &reason);
    if (report) {
      damage.AppendTo(notes);
      return report;
    }
    damage.Add(tail.back(), reason);
  }
  struct stat status {};
  if (pipes && stat(path.c_str(), &status) == 0 && S_ISFIFO(status.st_mode)) {
    // What has been read from it is gone.
    *error = fmt::format("no report in {}: {}", Printable(path),
                         reason.empty() ? "nothing came through this pipe" : reason);
    return std::nullopt;
  }
  std::optional<Report> newest;
  const auto keep = [&newest](Report&& report) {
    newest = std::move(report);
    return true;
  };
  ForEachInFile(path, false, keep, notes, error);
  return newest;
}

// For a directory that is none of ours: perhaps the one above was named.
std::string NoReportDirectory(const std::string& directory) {
  std::string error =
      fmt::format("no reports.jsonl in {}: not a report directory", Printable(directory));
  std::vector<std::string> inside;
  std::error_code failure;
  for (fs::directory_iterator it(directory, failure), end; !failure && it != end;
       it.increment(failure)) {
    if (Exists((it->path() / "reports.jsonl").string()))
      inside.push_back(it->path().filename().string());
  }
  if (inside.empty()) return error;
  std::sort(inside.begin(), inside.end());
  return fmt::format("{}; it holds {}{}: name one of them", error, Printable(inside.front()),
                     inside.size() == 1 ? "" : fmt::format(" and {} more", inside.size() - 1));
}

struct Sources {
  std::string history;  // "" if a file was named
  std::string current;
  std::string rotated;  // "" if there is none
  bool pipes = false;   // `current` was named by a person, and may be a pipe
};

std::optional<Sources> FindSources(const std::string& path, std::string* error) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0 || !S_ISDIR(status.st_mode))
    return Sources{"", path, "", true};
  Sources sources{(fs::path(path) / kHistoryFile).string(),
                  (fs::path(path) / "reports.jsonl").string(),
                  (fs::path(path) / "reports.jsonl.1").string(), false};
  if (!Exists(sources.rotated)) sources.rotated.clear();
  if (!Exists(sources.current)) {
    if (sources.rotated.empty()) {
      *error = NoReportDirectory(path);
      return std::nullopt;
    }
    // Between the rename and the first line of the new file.
    sources.current.swap(sources.rotated);
  }
  return sources;
}

// Of one directory's reports.  Their numbers alone don't tell: a process that goes on in the
// directory of a dead one counts anew.
bool IsBefore(const Report& a, const Report& b) {
  return std::tie(a.time, a.sequence) < std::tie(b.time, b.sequence);
}

// Visits the reports of the history that have no whole line: those before `oldest`.
bool ForEachInHistory(const std::string& path, const std::optional<Report>& oldest,
                      const std::function<bool(Report&&)>& visit, std::vector<std::string>* notes) {
  bool found = false;
  bool stopped = false;
  const auto before = [&](Report&& report) {
    stopped = oldest && !IsBefore(report, *oldest);
    if (stopped) return false;
    found = true;
    stopped = !visit(std::move(report));
    return !stopped;
  };
  ForEachHistoryBatch(path, [&](std::string&& batch) {
    std::string problem;
    if (!UnpackHistory(batch, before, &problem)) {
      notes->push_back(fmt::format("{}: {}", Printable(path), problem));
    }
    return !stopped;
  });
  return found;
}

std::optional<Report> OldestInFile(const std::string& path) {
  std::optional<Report> oldest;
  std::vector<std::string> ignored;
  std::string error;
  const auto keep = [&oldest](Report&& report) {
    oldest = std::move(report);
    return false;
  };
  ForEachInFile(path, false, keep, &ignored, &error);
  return oldest;
}

bool ForEachOld(const Sources& sources, const std::function<bool(Report&&)>& visit,
                std::vector<std::string>* notes) {
  if (sources.history.empty() || !Exists(sources.history)) return false;
  std::optional<Report> oldest;
  if (!sources.rotated.empty()) oldest = OldestInFile(sources.rotated);
  if (!oldest) oldest = OldestInFile(sources.current);
  return ForEachInHistory(sources.history, oldest, visit, notes);
}

}  // namespace

std::optional<Report> ReadNewestReport(const std::string& path, std::vector<std::string>* notes,
                                       std::string* error) {
  const std::optional<Sources> sources = FindSources(path, error);
  if (!sources) return std::nullopt;
  std::optional<Report> report = NewestInFile(sources->current, sources->pipes, notes, error);
  if (!report && !sources->rotated.empty()) {
    std::string ignored;
    report = NewestInFile(sources->rotated, false, notes, &ignored);
  }
  return report;
}

bool ForEachReport(const std::string& path, const std::function<bool(Report&&)>& visit,
                   std::vector<std::string>* notes, std::string* error) {
  const std::optional<Sources> sources = FindSources(path, error);
  if (!sources) return false;
  bool stopped = false;
  const auto until_stopped = [&](Report&& report) {
    stopped = !visit(std::move(report));
    return !stopped;
  };
  bool found = ForEachOld(*sources, until_stopped, notes);
  if (!sources->rotated.empty() && !stopped) {
    std::string ignored;
    found = ForEachInFile(sources->rotated, false, until_stopped, notes, &ignored) || found;
  }
  if (!stopped)
    found = ForEachInFile(sources->current, sources->pipes, until_stopped, notes, error) || found;
  return found;
}

void ForEachOldReport(const std::string& directory, const std::function<bool(Report&&)>& visit) {
  std::string error;
  std::vector<std::string> notes;
  if (const std::optional<Sources> sources = FindSources(directory, &error))
    ForEachOld(*sources, visit, &notes);
}

}  // namespace heapgauge
