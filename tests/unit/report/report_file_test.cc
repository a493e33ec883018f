#include "report/report_file.h"

#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "report/json_writer.h"
#include "unit/report/sample_report.h"
#include "unit/report/sequences_in.h"
#include "unit/report/temp_directory.h"

namespace heapgauge {
namespace {

std::string Numbered(uint64_t sequence) {
  Report report = LeakingCheckout();
  report.sequence = sequence;
  return ToJson(report) + "\n";
}

struct Outcome {
  uint64_t sequence = 0;  // 0: none
  std::vector<std::string> notes;
  std::string error;
};

Outcome Newest(const std::string& path) {
  Outcome outcome;
  const std::optional<Report> report = ReadNewestReport(path, &outcome.notes, &outcome.error);
  if (report) outcome.sequence = report->sequence;
  return outcome;
}

TEST_CASE("the newest report is found in a directory, a file and a pipe", "[report][read]") {
  const TempDirectory temp;
  temp.Write("reports.jsonl.1", Numbered(1) + Numbered(2));
  const std::string file = temp.Write("reports.jsonl", Numbered(3) + Numbered(4));
  CHECK(Newest(temp.path().string()).sequence == 4);
  CHECK(Newest(temp.path().string() + "/").sequence == 4);
  CHECK(Newest(file).sequence == 4);
  CHECK(Newest(temp / "reports.jsonl.1").sequence == 2);

  const std::string pipe = temp / "pipe";
  REQUIRE(mkfifo(pipe.c_str(), 0600) == 0);
  std::thread writer([&] { temp.Write("pipe", Numbered(5) + Numbered(6)); });
  CHECK(Newest(pipe).sequence == 6);
  writer.join();
}

TEST_CASE("the rotated file steps in while the new one is missing or empty", "[report][read]") {
  const TempDirectory temp;
  temp.Write("reports.jsonl.1", Numbered(1) + Numbered(2));
  CHECK(Newest(temp.path().string()).sequence == 2);
  temp.Write("reports.jsonl", "");
  const Outcome outcome = Newest(temp.path().string());
  CHECK(outcome.sequence == 2);
  std::vector<std::string> notes;
  CHECK(SequencesIn(temp.path().string(), &notes) == std::vector<uint64_t>{1, 2});
  temp.Write("reports.jsonl", Numbered(3));
  CHECK(SequencesIn(temp.path().string(), &notes) == std::vector<uint64_t>{1, 2, 3});
  CHECK(notes.empty());
}

TEST_CASE("a torn last line is skipped with a note", "[report][read]") {
  const TempDirectory temp;
  const std::string whole = Numbered(2);
  const std::string file = temp.Write("reports.jsonl", Numbered(1) + whole.substr(0, 300));
  const Outcome outcome = Newest(file);
  CHECK(outcome.sequence == 1);
  REQUIRE(outcome.notes.size() == 1);
  CHECK(outcome.notes[0] ==
        file + " line 2 skipped: it is torn (the JSON ends early, at byte 300)");

  // Only its line break is missing: that is a whole report.
  temp.Write("reports.jsonl", Numbered(1) + whole.substr(0, whole.size() - 1));
  CHECK(Newest(file).sequence == 2);
}

TEST_CASE("damaged lines are named and do not hide the sound ones", "[report][read]") {
  const TempDirectory temp;
  const std::string damage = "{\"schema\":\"heapgauge.rep" + Numbered(9);
  const std::string file = temp.Write("reports.jsonl", Numbered(1) + damage + "\n\n" + Numbered(2) +
                                                           damage + damage + damage + damage);
  const Outcome newest = Newest(file);
  CHECK(newest.sequence == 2);
  CHECK_FALSE(newest.notes.empty());
  std::vector<std::string> notes;
  CHECK(SequencesIn(file, &notes) == std::vector<uint64_t>{1, 2});
  REQUIRE(notes.size() == 5);
  CHECK(notes[0].starts_with(file + " line 2 skipped: no valid JSON at byte "));
  CHECK(notes[1].starts_with(file + " line 6 skipped: "));
}

TEST_CASE("visiting stops when told to", "[report][read]") {
  const TempDirectory temp;
  temp.Write("reports.jsonl.1", Numbered(1) + Numbered(2));
  temp.Write("reports.jsonl", Numbered(3));
  size_t seen = 0;
  std::vector<std::string> notes;
  std::string error;
  const auto once = [&](Report&&) { return ++seen, false; };
  CHECK(ForEachReport(temp.path().string(), once, &notes, &error));
  CHECK(seen == 1);
}

TEST_CASE("what holds no report is refused in one clear line", "[report][read]") {
  const TempDirectory temp;
  const std::string here = temp.path().string();
  CHECK(Newest(temp / "none").error ==
        "cannot open " + (temp / "none") + ": No such file or directory");
  CHECK(Newest(here).error == "no reports.jsonl in " + here + ": not a report directory");

  std::filesystem::create_directory(temp / "heapgauge.svc.1");
  temp.Write("heapgauge.svc.1/reports.jsonl", Numbered(1));
  CHECK(Newest(here).error ==
        "no reports.jsonl in " + here +
            ": not a report directory; it holds heapgauge.svc.1: name one of them");

  const std::string empty = temp.Write("empty", "\n\n");
  CHECK(Newest(empty).error == empty +
                                   " is empty: no report has been written yet (one comes every "
                                   "HEAPGAUGE_REPORT_INTERVAL and one at exit)");
  const std::string foreign = temp.Write("foreign", "root:x:0:0\nbin:x:1:1\n");
  CHECK(Newest(foreign).error ==
        "no report in " + foreign + ": line 1: no valid JSON at byte 1, near root:x:0:0");
  const std::string profile = temp.Write("heap.pb.gz", "\x1f\x8b\x08\x01\x02");
  CHECK(Newest(profile).error.find("is compressed") != std::string::npos);
  const std::string text = temp.Write("report.txt", "heapgauge report 1: svc, pid 1\n");
  CHECK(Newest(text).error.find("is a text report already") != std::string::npos);
  const std::string binary = temp.Write("binary", std::string("\x7f"
                                                              "ELF\0\0\n",
                                                              7));
  CHECK(Newest(binary).error ==
        "no report in " + binary + ": line 1: no valid JSON at byte 1, near \\x7fELF\\x00\\x00");
}

TEST_CASE("a large file is streamed", "[report][read]") {
  const TempDirectory temp;
  const std::string line = Numbered(1);
  std::string content;
  while (content.size() < (size_t{8} << 20)) content += line;
  const std::string file = temp.Write("reports.jsonl", content + Numbered(77));
  CHECK(Newest(file).sequence == 77);
}

}  // namespace
}  // namespace heapgauge
