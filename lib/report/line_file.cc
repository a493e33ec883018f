#include "report/line_file.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <string_view>

#include "report/printable.h"

namespace heapgauge {
namespace {

// A report of ten thousand sites is some 40 MiB; past this a "line" is something else, and would
// take ten times as much memory to understand.
constexpr size_t kMaxLineBytes = size_t{128} << 20;

}  // namespace

LineFile::LineFile(const std::string& path) : path_(Printable(path)) {
  file_.reset(std::fopen(path.c_str(), "re"));
  buffer_.resize(size_t{64} << 10);
  struct stat status {};
  if (file_ != nullptr && fstat(fileno(file_.get()), &status) == 0 && S_ISDIR(status.st_mode)) {
    file_.reset();
    errno = EISDIR;
  }
  if (file_ == nullptr) error_ = fmt::format("cannot open {}: {}", path_, std::strerror(errno));
}

bool LineFile::Fill() {
  filled_ = std::fread(buffer_.data(), 1, buffer_.size(), file_.get());
  used_ = 0;
  if (filled_ == 0 && std::ferror(file_.get()) != 0) {
    error_ = fmt::format("cannot read {}: {}", path_, std::strerror(errno));
  }
  return filled_ > 0;
}

bool LineFile::Next(Line* line) {
  while (file_ != nullptr && error_.empty()) {
    line->text.clear();
    line->complete = false;
    while (!line->complete && (used_ < filled_ || Fill())) {
      const std::string_view rest(buffer_.data() + used_, filled_ - used_);
      const size_t end = rest.find('\n');
      line->complete = end != std::string_view::npos;
      line->text.append(rest.substr(0, end));
      used_ += line->complete ? end + 1 : rest.size();
      if (line->text.size() > kMaxLineBytes) {
        error_ = fmt::format("{}: line {} is too long for a report", path_, number_ + 1);
        return false;
      }
    }
    if (!error_.empty() || (line->text.empty() && !line->complete)) return false;
    line->number = ++number_;
    if (line->text.find_first_not_of(" \t\r") != std::string::npos) return true;
  }
  return false;
}

}  // namespace heapgauge
