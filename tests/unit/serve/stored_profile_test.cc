#include "serve/stored_profile.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <string>

#include "report/pprof_reader.h"
#include "unit/report/sample_report.h"
#include "unit/report/temp_directory.h"

namespace heapgauge::serve {
namespace {

// As it is written, and as it is read back from its line.
struct Stored {
  Report written = LeakingCheckout();
  Report line = LeakingCheckout();
  TempDirectory place;

  Stored() {
    Frame frame;
    frame.function = "Elsewhere()";
    frame.module = written.exe;
    written.rest = {{{.live_bytes = 777, .live_objects = 7, .allocated_bytes = 888}, frame}};
  }
  std::string directory() const { return place.path().string(); }
  void Write(const std::string& bytes) const { std::ofstream(place / "heap.pb.gz") << bytes; }
};

bool HasElsewhere(const std::string& profile) {
  std::string error;
  const auto report = FromPprof(profile, &error);
  REQUIRE(error.empty());
  for (const Site& site : report->sites) {
    if (site.frames.at(0).function == "Elsewhere()") return site.live_bytes == 777;
  }
  return false;
}

TEST_CASE("the profile beside a report is served, by both names", "[serve][profile]") {
  const Stored stored;
  const std::string bytes = ToPprof(stored.written);
  stored.Write(bytes);
  CHECK(ProfileOf(stored.directory(), stored.line, PprofKind::kHeap) == bytes);
  CHECK(HasElsewhere(ProfileOf(stored.directory(), stored.line, PprofKind::kAllocs)));
  const Report whole = WholeReport(stored.directory(), stored.line);
  CHECK(whole.sites.size() > stored.line.sites.size());
  CHECK(whole.verdict == stored.line.verdict);
}

TEST_CASE("another report's profile, a damaged one and none are not", "[serve][profile]") {
  Stored stored;
  const auto is_made = [&] {
    return ProfileOf(stored.directory(), stored.line, PprofKind::kHeap) == ToPprof(stored.line) &&
           WholeReport(stored.directory(), stored.line) == stored.line;
  };
  CHECK(is_made());
  const std::string bytes = ToPprof(stored.written);
  stored.Write(bytes.substr(0, bytes.size() / 2));
  CHECK(is_made());
  stored.written.time = "2026-11-22T02:13:07.000Z";
  stored.Write(ToPprof(stored.written));
  CHECK(is_made());
  std::filesystem::remove(stored.place / "heap.pb.gz");
  std::filesystem::create_symlink("/etc/passwd", stored.place / "heap.pb.gz");
  CHECK(is_made());
}

}  // namespace
}  // namespace heapgauge::serve
