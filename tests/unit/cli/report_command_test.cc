#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <string>

#include "report/folded_writer.h"
#include "report/json_writer.h"
#include "report/pprof_writer.h"
#include "report/text_writer.h"
#include "unit/cli/capture.h"
#include "unit/report/sample_report.h"

namespace heapgauge::cli {
namespace {

namespace fs = std::filesystem;

TEST_CASE("report renders the newest report in each format", "[cli][report]") {
  const TempDirectory temp;
  const Report report = LeakingCheckout();
  temp.Write("reports.jsonl", ToJson(QuietProcess()) + "\n" + ToJson(report) + "\n");
  const std::string path = temp.path().string();
  CHECK(CallCommand({"report", path}).out == ToText(report));
  CHECK(CallCommand({"report", path, "--format", "text", "--top=1"}).out ==
        ToText(report, {.max_sites = 1}));
  CHECK(CallCommand({"report", "--format", "json", path}).out == ToJson(report) + "\n");
  CHECK(CallCommand({"report", path, "-f", "json", "--top", "2"}).out == ToJson(report, 2) + "\n");
  CHECK(CallCommand({"report", path, "--format=folded", "--top", "0"}).out == ToFolded(report));
  CHECK(CallCommand({"report", path, "--format=pprof"}).out == ToPprof(report));
  CHECK(CallCommand({"report", path}).status == 0);
}

TEST_CASE("output to a file is whole or not at all", "[cli][report]") {
  const TempDirectory temp;
  temp.Write("reports.jsonl", ToJson(LeakingCheckout()) + "\n");
  const std::string path = temp.path().string();
  const std::string text = ToText(LeakingCheckout());
  const Printed printed = CallCommand({"report", path, "-o", temp / "a file.txt"});
  CHECK(printed.status == 0);
  CHECK(printed.out.empty());
  CHECK(temp.Read("a file.txt") == text);

  // An existing file keeps its rights, a link its target; nothing temporary stays.
  chmod((temp / "a file.txt").c_str(), 0640);
  fs::create_symlink("a file.txt", temp / "link");
  CHECK(CallCommand({"report", path, "--format", "json", "-o", temp / "link"}).status == 0);
  CHECK(fs::is_symlink(temp / "link"));
  CHECK(temp.Read("a file.txt") == ToJson(LeakingCheckout()) + "\n");
  struct stat status {};
  REQUIRE(stat((temp / "a file.txt").c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0640);
  CHECK(std::distance(fs::directory_iterator(temp.path()), fs::directory_iterator()) == 3);

  CHECK(CallCommand({"report", path, "-o", "/dev/null"}).status == 0);
  const Printed failed = CallCommand({"report", path, "-o", temp / "none/x"});
  CHECK(failed.status == 2);
  CHECK(failed.err ==
        "heapgauge: cannot write " + (temp / "none/x") + ": No such file or directory\n");
  CHECK(CallCommand({"report", path, "-o", "/dev/full"}).err ==
        "heapgauge: cannot write /dev/full: No space left on device\n");
}

TEST_CASE("what cannot be read is one line and status 2", "[cli][report]") {
  const TempDirectory temp;
  const auto error = [](const Arguments& arguments) {
    const Printed printed = CallCommand(arguments);
    CHECK(printed.status == 2);
    CHECK(printed.out.empty());
    CHECK(printed.err.find('\n') == printed.err.size() - 1);
    return printed.err;
  };
  CHECK(error({"report"}).starts_with("heapgauge: no PATH"));
  CHECK(error({"report", "a", "b"}).find("b") != std::string::npos);
  CHECK(error({"report", temp / "none"}).ends_with("none: No such file or directory\n"));
  CHECK(error({"report", temp.Write("empty", "")}).find("is empty") != std::string::npos);
  CHECK(error({"report", temp.Write("foreign", "%PDF-1.4\n")}).find("no report in") !=
        std::string::npos);
  CHECK(error({"report", temp.Write("p.pb.gz", "\x1f\x8b\x08")}).find("it is cut short") !=
        std::string::npos);
  CHECK(
      error({"report", "x", "--format", "jsn"}) ==
      "heapgauge: --format jsn: not text, json, folded, pprof, html, sarif, speedscope, firefox or "
      "dhat; did you mean json?\n");
  CHECK(error({"report", "x", "--top", "many"}).find("--top many") != std::string::npos);
}

TEST_CASE("damage is noted and the sound report shown", "[cli][report]") {
  const TempDirectory temp;
  const std::string file =
      temp.Write("reports.jsonl", ToJson(LeakingCheckout()) + "\n{\"schema\":");
  const Printed printed = CallCommand({"report", file});
  CHECK(printed.status == 0);
  CHECK(printed.out == ToText(LeakingCheckout()));
  CHECK(printed.err ==
        "heapgauge: " + file + " line 2 skipped: it is torn (the JSON ends early, at byte 10)\n");
}

}  // namespace
}  // namespace heapgauge::cli
