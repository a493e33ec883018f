#include "cli/check_progress.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "support/captured_stderr.h"
#include "unit/report/temp_directory.h"

namespace heapgauge::cli {
namespace {

namespace files = std::filesystem;

void Touch(const files::path& file) { std::ofstream(file) << "x"; }

TEST_CASE("a check says whose memory is looked through, while it is", "[cli][check]") {
  const TempDirectory workshop;
  const files::path process = workshop.path() / "unit_tests.4242";
  files::create_directory(process);
  test::CapturedStderr captured;
  CheckProgress progress(workshop.path().string());
  progress.Look();  // it runs
  CHECK(captured.text().empty());
  Touch(process / "report.txt");
  progress.Look();
  CHECK(captured.text().find("looking through the memory of unit_tests.4242") != std::string::npos);
  Touch(process / "lost.json");
  progress.Look();
  CHECK(captured.text().ends_with("\r\033[K"));  // the line is gone
}

}  // namespace
}  // namespace heapgauge::cli
