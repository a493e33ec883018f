#include "serve/stored_profile.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <optional>

#include "base/descriptor.h"
#include "base/whole_io.h"
#include "report/pprof_reader.h"

namespace heapgauge::serve {
namespace {

constexpr size_t kMostBytes = size_t{64} << 20;  // packed; what is longer is none of ours
constexpr size_t kToTheSecond = 19;              // "2026-11-22T02:14:05"

std::string ReadProfile(const std::string& directory) {
  const std::string path = directory + "/heap.pb.gz";
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW));
  struct stat status {};
  if (!file.valid() || fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) return {};
  std::string bytes;
  if (!ReadAll(file.get(), kMostBytes, &bytes)) return {};
  return bytes;
}

// nullopt: another report's, or none at all.
std::optional<Report> Parse(const std::string& bytes, const Report& report) {
  if (bytes.empty()) return std::nullopt;
  std::string ignored;
  std::optional<Report> read = FromPprof(bytes, &ignored);
  if (!read || read->time.substr(0, kToTheSecond) != report.time.substr(0, kToTheSecond))
    return std::nullopt;
  read->time = report.time;
  read->pid = report.pid;
  read->host = report.host;
  read->verdict = report.verdict;
  read->evidence = report.evidence;
  return read;
}

}  // namespace

std::string ProfileOf(const std::string& directory, const Report& report, PprofKind kind) {
  std::string bytes = ReadProfile(directory);
  const std::optional<Report> whole = Parse(bytes, report);
  if (!whole) return ToPprof(report, kind);
  return kind == PprofKind::kHeap ? bytes : ToPprof(*whole, kind);
}

Report WholeReport(const std::string& directory, const Report& report) {
  return Parse(ReadProfile(directory), report).value_or(report);
}

}  // namespace heapgauge::serve
