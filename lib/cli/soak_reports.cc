#include "cli/soak_reports.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "base/descriptor.h"
#include "base/whole_io.h"
#include "report/json_reader.h"

namespace heapgauge::cli {
namespace {

namespace fs = std::filesystem;

constexpr int kDeepest = 8;
constexpr size_t kMostBytes = size_t{256} << 20;  // between two looks

SoakPoint PointOf(const Report& report, double now_s) {
  SoakPoint point;
  point.time_s = now_s;
  point.live_bytes = report.totals.live_bytes;
  point.live_stderr = report.totals.live_bytes_stderr;
  point.rss_bytes = static_cast<double>(report.process.rss_bytes);
  // 0: not known.
  const auto taken_bytes = static_cast<double>(report.process.heap_taken_bytes);
  if (taken_bytes > 0) point.rounding_bytes = std::max(0.0, taken_bytes - point.live_bytes);
  point.retained_bytes = static_cast<double>(report.process.allocator_retained_bytes);
  point.allocated_bytes = report.totals.allocated_bytes;
  point.interval_bytes = static_cast<double>(report.sampling.interval_bytes);
  point.cpu_s = report.sampling.cpu_s;
  for (const Callsite& callsite : report.callsites) {
    const Site& sum = callsite.sum;
    point.sites[sum.id] = {sum.live_bytes, sum.live_bytes_stderr, sum.live_objects,
                           sum.allocated_bytes};
  }
  return point;
}

}  // namespace

const SoakPoint* SoakProcess::At(double time_s) const {
  const auto later =
      std::upper_bound(points.begin(), points.end(), time_s,
                       [](double time, const SoakPoint& point) { return time < point.time_s; });
  return later == points.begin() ? nullptr : &*(later - 1);
}

void SoakReports::Read(double now_s) { ReadBelow(directory_, 0, now_s); }

void SoakReports::ReadBelow(const std::string& directory, int depth, double now_s) {
  if (depth > kDeepest) return;
  ReadFile(directory, now_s);
  std::error_code failure;
  std::vector<std::string> below;
  for (fs::directory_iterator it(directory, failure), end; !failure && it != end;
       it.increment(failure)) {
    std::error_code unknown;
    if (it->is_directory(unknown) && !it->is_symlink(unknown)) below.push_back(it->path().string());
  }
  std::sort(below.begin(), below.end());
  for (const std::string& path : below) ReadBelow(path, depth + 1, now_s);
}

void SoakReports::ReadFile(const std::string& directory, double now_s) {
  const std::string path = directory + "/reports.jsonl";
  const Descriptor file =
      Descriptor(AboveStandard(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)));
  struct stat status {};
  if (!file.valid() || fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) return;
  File& known = files_[directory];
  if (known.inode != status.st_ino) {  // the first time, or it was rotated
    known.inode = status.st_ino;
    known.offset = 0;
  }
  if (static_cast<uint64_t>(status.st_size) <= known.offset) return;
  if (lseek(file.get(), static_cast<off_t>(known.offset), SEEK_SET) < 0) return;
  std::string text;
  ReadAll(file.get(), kMostBytes, &text);
  size_t begin = 0;
  for (size_t end; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1) {
    std::string error;
    std::optional<Report> report =
        FromJson(std::string_view(text).substr(begin, end - begin), &error);
    if (report) Add(directory, std::move(*report), now_s, &known);
  }
  known.offset += begin;
}

void SoakReports::Add(const std::string& directory, Report&& report, double now_s, File* file) {
  // After exec it is another program in the same directory, and another history.
  if (!file->known || processes_[file->process].pid != report.pid ||
      processes_[file->process].exe != report.exe ||
      report.sequence <= processes_[file->process].newest.sequence) {
    file->known = true;
    file->process = processes_.size();
    processes_.emplace_back();
    processes_.back().directory = directory;
    processes_.back().pid = report.pid;
    processes_.back().exe = report.exe;
  }
  SoakProcess& process = processes_[file->process];
  process.points.push_back(PointOf(report, now_s));
  process.newest = std::move(report);
}

}  // namespace heapgauge::cli
