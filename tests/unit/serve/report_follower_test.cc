#include "serve/report_follower.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <string>

#include "report/history_batch.h"
#include "report/history_file.h"
#include "report/json_writer.h"
#include "unit/report/sample_report.h"
#include "unit/report/temp_directory.h"

namespace heapgauge::serve {
namespace {

struct Directory {
  TempDirectory place;
  std::string current = place / "reports.jsonl";
  ReportFollower follower{place.path().string()};

  static std::string Line(uint64_t sequence) {
    Report report = LeakingCheckout();
    report.sequence = sequence;
    return ToJson(report) + "\n";
  }
  void Append(const std::string& text) const { std::ofstream(current, std::ios::app) << text; }
  void Rotate() const { std::filesystem::rename(current, current + ".1"); }
  uint64_t Newest() {
    const auto newest = follower.Newest();
    return newest ? newest->report.sequence : 0;
  }
  std::vector<uint64_t> Sequences() {
    std::vector<uint64_t> sequences;
    follower.OfHistory([&](const History& history) {
      for (const HistoryPoint& point : history.Points()) sequences.push_back(point.sequence);
      return std::string();
    });
    return sequences;
  }
};

TEST_CASE("what is appended is seen, whole lines alone", "[serve][follower]") {
  Directory directory;
  CHECK(directory.Newest() == 0);
  directory.Append(Directory::Line(1));
  CHECK(directory.Newest() == 1);
  const std::string second = Directory::Line(2);
  directory.Append(second.substr(0, 100));
  CHECK(directory.Newest() == 1);
  directory.Append(second.substr(100));
  CHECK(directory.Newest() == 2);
  CHECK(directory.follower.Newest()->json + "\n" == second);
  directory.Append("{\"torn\":\n\n" + Directory::Line(4));
  CHECK(directory.Sequences() == std::vector<uint64_t>{1, 2, 4});
}

TEST_CASE("what has no whole line any more is read from the history", "[serve][follower]") {
  Directory directory;
  HistoryPacker packer;
  for (const uint64_t sequence : {1, 2, 3}) {
    Report report = LeakingCheckout();
    report.sequence = sequence;
    report.time = fmt::format("2026-11-22T00:0{}:00Z", sequence);
    packer.Add(report, 100);
  }
  const int place = open(directory.place.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  REQUIRE(AppendHistory(place, packer.Take(), 1 << 20));
  close(place);
  directory.Append(Directory::Line(4));
  CHECK(directory.Newest() == 4);
  CHECK(directory.Sequences() == std::vector<uint64_t>{1, 2, 3, 4});
  directory.Append(Directory::Line(5));
  CHECK(directory.Sequences() == std::vector<uint64_t>{1, 2, 3, 4, 5});
}

TEST_CASE("a rotation loses nothing", "[serve][follower]") {
  Directory directory;
  directory.Append(Directory::Line(1));
  directory.Rotate();
  directory.Append(Directory::Line(2));
  CHECK(directory.Sequences() == std::vector<uint64_t>{1, 2});  // the old file is read at first
  directory.Append(Directory::Line(3));
  directory.Rotate();
  directory.Append(Directory::Line(4));
  CHECK(directory.Sequences() == std::vector<uint64_t>{1, 2, 3, 4});
}

TEST_CASE("another process in the directory begins anew", "[serve][follower]") {
  Directory directory;
  directory.Append(Directory::Line(1) + Directory::Line(2) + Directory::Line(1));
  CHECK(directory.Sequences() == std::vector<uint64_t>{1});
}

TEST_CASE("a long history is thinned from its old end", "[serve][follower]") {
  Directory directory;
  std::string text;
  constexpr uint64_t kReports = 2 * History::kMostPoints;
  Report report;
  for (report.sequence = 1; report.sequence <= kReports; ++report.sequence)
    text += ToJson(report) + "\n";
  directory.Append(text);
  const std::vector<uint64_t> sequences = directory.Sequences();
  CHECK(sequences.size() <= History::kMostPoints);
  CHECK(sequences.front() == 1);
  CHECK(sequences.back() == kReports);
  CHECK(sequences[sequences.size() - 2] == kReports - 1);
}

TEST_CASE("what is no regular file is not opened", "[serve][follower]") {
  Directory directory;
  SECTION("a link") {
    directory.place.Write("elsewhere", Directory::Line(9));
    std::filesystem::create_symlink("elsewhere", directory.current);
  }
  SECTION("a directory") { std::filesystem::create_directory(directory.current); }
  CHECK(directory.Newest() == 0);
}

}  // namespace
}  // namespace heapgauge::serve
