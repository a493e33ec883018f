#include "serve/report_follower.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>

#include "report/json_reader.h"
#include "report/report_file.h"

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

}  // namespace

ReportFollower::~ReportFollower() {
  if (fd_ >= 0) close(fd_);
}

std::shared_ptr<const Snapshot> ReportFollower::Newest() {
  const std::lock_guard lock(mutex_);
  Refresh();
  return newest_;
}

std::string ReportFollower::OfHistory(const std::function<std::string(const History&)>& use) {
  const std::lock_guard lock(mutex_);
  Refresh();
  return use(history_);
}

void ReportFollower::Refresh() {
  if (!began_) {
    began_ = true;
    ForEachOldReport(directory_, [this](Report&& report) {
      history_.Add(report);
      return true;
    });
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
  history_.Add(*report);
  newest_ = std::make_shared<const Snapshot>(Snapshot{std::move(*report), std::move(line)});
}

}  // namespace heapgauge::serve
