#include "reporter/report_store.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "report/json_reader.h"
#include "report/output_directory.h"
#include "report/report_file.h"
#include "unit/report/sequences_in.h"

namespace heapgauge {
namespace {

namespace fs = std::filesystem;

class TempDirectory final {
 public:
  TempDirectory() {
    char name[] = "/tmp/heapgauge-store-XXXXXX";
    path_ = mkdtemp(name);
  }
  ~TempDirectory() { fs::remove_all(path_); }
  TempDirectory(const TempDirectory&) = delete;
  TempDirectory& operator=(const TempDirectory&) = delete;
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

Report ReportOf(uint64_t sequence) {
  Report report;
  report.sequence = sequence;
  report.pid = getpid();
  report.exe = "/usr/bin/program";
  return report;
}

std::string Content(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<std::string> Lines(const std::string& path) {
  std::vector<std::string> lines;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

mode_t ModeOf(const std::string& path) {
  struct stat info {};
  REQUIRE(lstat(path.c_str(), &info) == 0);
  return info.st_mode & 07777;
}

TEST_CASE("a report becomes a line, a text and a profile, private to the user",
          "[reporter][report_store]") {
  const TempDirectory temp;
  ReportStore store(temp / "out.%e.%p", "program");
  REQUIRE(store.Write(ReportOf(1)));
  REQUIRE(store.Write(ReportOf(2)));
  const std::string path = temp / ("out.program." + std::to_string(getpid()));
  CHECK(store.path() == path);
  CHECK(Lines(path + "/reports.jsonl").size() == 2);
  CHECK(Content(path + "/report.txt").find("report 2") != std::string::npos);
  CHECK(Content(path + "/heap.pb.gz").substr(0, 2) == "\x1f\x8b");
  CHECK(ModeOf(path) == 0700);
  for (const char* name : {"reports.jsonl", "report.txt", "heap.pb.gz"}) {
    CHECK(ModeOf(path + "/" + name) == 0600);
  }
  size_t files = 0;
  for (const auto& entry : fs::directory_iterator(path)) files += entry.exists() ? 1 : 0;
  CHECK(files == 3);  // no temporary file is left
}

TEST_CASE("the report at the highest live heap is kept, when it rose by a twentieth",
          "[reporter][report_store]") {
  const TempDirectory temp;
  ReportStore store(temp / "out", "program");
  const auto peak_after = [&](uint64_t sequence, double live_bytes) {
    Report report = ReportOf(sequence);
    report.totals.live_bytes = live_bytes;
    REQUIRE(store.Write(report));
    std::string error;
    const auto peak = FromJson(Content(temp / "out/peak.json"), &error);
    return peak ? peak->sequence : 0;
  };
  CHECK(peak_after(1, 1e6) == 1);
  CHECK(peak_after(2, 1.04e6) == 1);
  CHECK(peak_after(3, 1.06e6) == 3);
  CHECK(peak_after(4, 1e5) == 3);
  CHECK(ModeOf(temp / "out/peak.json") == 0600);
}

TEST_CASE("a line that a crash tore is taken off before the next one", "[reporter][report_store]") {
  const TempDirectory temp;
  ReportStore store(temp / "out", "program");
  REQUIRE(store.Write(ReportOf(1)));
  std::ofstream(temp / "out/reports.jsonl", std::ios::app) << "{\"schema\":\"heapgauge.rep";
  REQUIRE(store.Write(ReportOf(2)));
  const std::vector<std::string> lines = Lines(temp / "out/reports.jsonl");
  REQUIRE(lines.size() == 2);
  CHECK(lines[0].find("\"sequence\":1,") != std::string::npos);
  CHECK(lines[1].find("\"sequence\":2,") != std::string::npos);
}

TEST_CASE("a directory that vanished is made again", "[reporter][report_store]") {
  const TempDirectory temp;
  ReportStore store(temp / "out", "program");
  REQUIRE(store.Write(ReportOf(1)));
  fs::remove_all(temp / "out");
  REQUIRE(store.Write(ReportOf(2)));
  CHECK(Lines(temp / "out/reports.jsonl").size() == 1);
}

TEST_CASE("a symbolic link in place of a file is not followed", "[reporter][report_store]") {
  const TempDirectory temp;
  std::ofstream(temp / "victim") << "precious";
  REQUIRE(mkdir((temp / "out").c_str(), 0700) == 0);
  fs::create_symlink(temp / "victim", temp / "out/reports.jsonl");
  fs::create_symlink(temp / "victim", temp / "out/report.txt");
  ReportStore store(temp / "out", "program");
  CHECK_FALSE(store.Write(ReportOf(1)));
  CHECK(Content(temp / "victim") == "precious");
  CHECK(fs::is_symlink(temp / "out/reports.jsonl"));
  CHECK_FALSE(fs::is_symlink(temp / "out/report.txt"));  // replaced, as rename does
}

TEST_CASE("a file that can't grow loses that report, not those before it",
          "[reporter][report_store]") {
  const TempDirectory temp;
  const std::string out = temp / "out";
  {
    Report first = ReportOf(1);
    first.pid = 0;  // nobody who lives: the child may go on in this directory
    ReportStore store(out, "program");
    REQUIRE(store.Write(first));
  }
  // A limit on file sizes is this process's for good, so a child meets it.
  const pid_t child = fork();
  if (child == 0) {
    signal(SIGXFSZ, SIG_IGN);
    struct stat info {};
    stat((out + "/reports.jsonl").c_str(), &info);
    const rlimit limit{static_cast<rlim_t>(info.st_size) + 10, RLIM_INFINITY};
    setrlimit(RLIMIT_FSIZE, &limit);
    Report second = ReportOf(2);
    second.evidence = std::string(500, 'x');  // no room in a file of its own, either
    ReportStore store(out, "program");
    _exit(store.Write(second) ? 1 : 0);
  }
  int status = -1;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  CHECK(Lines(out + "/reports.jsonl").size() == 1);
  CHECK(Content(out + "/reports.jsonl").back() == '\n');
  CHECK(Content(out + "/report.txt").find("report 1") != std::string::npos);
}

TEST_CASE("two living processes don't share a directory", "[reporter][report_store]") {
  const TempDirectory temp;
  ReportStore parent(temp / "out", "program");
  REQUIRE(parent.Write(ReportOf(1)));
  const pid_t child = fork();
  if (child == 0) {
    ReportStore store(temp / "out", "program");
    _exit(store.Write(ReportOf(1)) && store.path() == temp / ("out." + std::to_string(getpid()))
              ? 0
              : 1);
  }
  int status = -1;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  CHECK(Lines(temp / "out/reports.jsonl").size() == 1);
  // The next run of a program whose predecessor is gone goes on in its directory.
  ReportStore again(temp / ("out." + std::to_string(child)), "program");
  REQUIRE(again.Write(ReportOf(7)));
  CHECK(Lines(temp / ("out." + std::to_string(child) + "/reports.jsonl")).size() == 2);
}

TEST_CASE("the mark of heapgauge run is an empty reports.jsonl", "[reporter][report_store]") {
  const TempDirectory temp;
  const ReportStore store(temp / "out", "program");
  CHECK_FALSE(store.IsExpected());
  std::string error;
  const int directory = OpenReportDirectory(temp / "out", true, &error);
  REQUIRE(directory >= 0);
  CHECK_FALSE(store.IsExpected());
  REQUIRE(MarkReportExpected(directory));
  CHECK(store.IsExpected());
  close(directory);
  std::ofstream(temp / "out/reports.jsonl") << "{}\n";
  CHECK_FALSE(store.IsExpected());
}

TEST_CASE("lines that are rotated away stay in the history", "[reporter][report_store]") {
  const TempDirectory temp;
  const std::string lines = temp / "out/reports.jsonl";
  constexpr uint64_t kReports = 200;
  {
    ReportStore store(temp / "out", "program");
    for (uint64_t number = 1; number <= kReports; ++number) {
      REQUIRE(store.Write(ReportOf(number)));
      if (number != 70 && number != 140) continue;
      // As full as can be, of what no reader minds.
      std::ofstream(lines, std::ios::app)
          << std::string(ReportStore::kRotateBytes - fs::file_size(lines) - 1, ' ') << '\n';
    }
  }  // what was in memory alone is gone, as after SIGKILL
  for (const char* name : {"reports.jsonl", "reports.jsonl.1", "reports.history"}) {
    REQUIRE(fs::exists(temp / ("out/" + std::string(name))));
    CHECK(ModeOf(temp / ("out/" + std::string(name))) == 0600);
  }
  std::vector<std::string> notes;
  std::string error;
  CHECK(fs::file_size(lines + ".1") == ReportStore::kRotateBytes);
  CHECK(FromJson(Lines(lines + ".1").front(), &error)->sequence == 71);
  CHECK(FromJson(Lines(lines).front(), &error)->sequence == 141);
  const std::vector<uint64_t> sequences = SequencesIn(temp / "out", &notes);
  REQUIRE(sequences.size() == kReports);
  for (uint64_t i = 0; i < kReports; ++i) CHECK(sequences[i] == i + 1);
  CHECK(notes.empty());
}

}  // namespace
}  // namespace heapgauge
