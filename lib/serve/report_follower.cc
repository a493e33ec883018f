#include "serve/report_follower.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>

#include "report/json_reader.h"

namespace heapgauge::serve {
namespace {

constexpr size_t kPiece = size_t{1} << 20;
constexpr size_t kMostLineBytes = size_t{256} << 20;  // what is longer is no report

int OpenRegular(const std::string& path, struct stat* status) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
  if (fd < 0) return -1;
  if (fstat(fd, status) == 0 && S_ISREG(status->st_mode)) return fd;
  close(fd);
  return -1;
}

HistoryPoint PointOf(const Report& report, History* history) {
  HistoryPoint point;
  point.sequence = report.sequence;
  point.time = report.time;
  point.uptime_s = report.uptime_s;
  point.live_bytes = report.totals.live_bytes;
  point.live_bytes_stderr = report.totals.live_bytes_stderr;
  point.growth_bytes_per_s = report.totals.growth_bytes_per_s;
  point.rss_bytes = report.process.rss_bytes;
  point.retained_bytes = report.process.allocator_retained_bytes;
  point.limit_bytes = report.process.limit_bytes;
  if (report.forecast) point.seconds_to_limit = report.forecast->seconds_to_limit;
  point.verdict = report.verdict;
  for (const Callsite& callsite : CallsitesOf(report)) {
    if (point.callsites.size() == ReportFollower::kMostCallsites) break;
    const Site& sum = callsite.sum;
    point.callsites.push_back(
        {sum.id, sum.live_bytes, sum.live_bytes_stderr, sum.growth_bytes_per_s, sum.verdict});
    if (sum.frames.empty()) continue;
    const Frame& frame = sum.frames[sum.callsite < sum.frames.size() ? sum.callsite : 0];
    history->names[sum.id] = {frame.function, frame.file.value_or(""), frame.line.value_or(0)};
  }
  return point;
}

}  // namespace

ReportFollower::~ReportFollower() {
  if (fd_ >= 0) close(fd_);
}

std::shared_ptr<const Snapshot> ReportFollower::Newest() {
  const std::lock_guard lock(mutex_);
  Refresh();
  return newest_;
}

History ReportFollower::HistoryNow() {
  const std::lock_guard lock(mutex_);
  Refresh();
  return history_;
}

void ReportFollower::Refresh() {
  if (!began_) {
    began_ = true;
    struct stat status {};
    fd_ = OpenRegular(directory_ + "/reports.jsonl.1", &status);
    if (fd_ >= 0) {
      ReadAppended();
      close(fd_);
      fd_ = -1;
    }
  }
  ReadAppended();
  // At most one rotation lies between two looks that anybody notices.
  if (Follow()) ReadAppended();
}

// Opens reports.jsonl where it is not the file that is open; what is left of that one was read.
bool ReportFollower::Follow() {
  struct stat status {};
  const int fd = OpenRegular(directory_ + "/reports.jsonl", &status);
  if (fd < 0) return false;
  if (fd_ >= 0 && status.st_dev == device_ && status.st_ino == inode_) {
    close(fd);
    return false;
  }
  if (fd_ >= 0) close(fd_);
  fd_ = fd;
  device_ = status.st_dev;
  inode_ = status.st_ino;
  offset_ = 0;
  partial_.clear();
  return true;
}

void ReportFollower::ReadAppended() {
  if (fd_ < 0) return;
  std::string piece(kPiece, '\0');
  for (;;) {
    const ssize_t got = pread(fd_, piece.data(), piece.size(), offset_);
    if (got <= 0) return;
    offset_ += got;
    size_t begin = 0;
    const size_t size = static_cast<size_t>(got);
    for (size_t end; (end = piece.find('\n', begin)) < size; begin = end + 1) {
      partial_.append(piece, begin, end - begin);
      TakeLine(std::exchange(partial_, {}));
    }
    partial_.append(piece, begin, size - begin);
    if (partial_.size() > kMostLineBytes) partial_.clear();
  }
}

void ReportFollower::TakeLine(std::string line) {
  std::string ignored;
  std::optional<Report> report = FromJson(line, &ignored);
  if (!report) return;  // torn or foreign: the next one counts
  if (!history_.points.empty() && report->sequence <= history_.points.back().sequence)
    history_ = {};  // another process goes on in this directory
  history_.points.push_back(PointOf(*report, &history_));
  Thin();
  newest_ = std::make_shared<const Snapshot>(Snapshot{std::move(*report), std::move(line)});
}

// Of a long history every second point of the older half goes: what is recent stays dense.
void ReportFollower::Thin() {
  if (history_.points.size() <= kMostPoints) return;
  std::deque<HistoryPoint> kept;
  for (size_t i = 0; i < history_.points.size(); ++i) {
    if (i >= kMostPoints / 2 || i % 2 == 0) kept.push_back(std::move(history_.points[i]));
  }
  history_.points = std::move(kept);
}

}  // namespace heapgauge::serve
