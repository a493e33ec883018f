#include "alert/alert_sender.h"

#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "helper/running_helpers.h"
#include "support/captured_stderr.h"

namespace heapgauge {
namespace {

using std::chrono::milliseconds;

// A command that takes what it is given, leaves a mark of it, and never comes back.
class HangingHelper final {
 public:
  HangingHelper() {
    std::string directory = "/tmp/heapgauge-alerts-XXXXXX";
    if (mkdtemp(directory.data()) == nullptr) FAIL("no temporary directory");
    directory_ = directory;
    std::ofstream(path()) << "#!/bin/sh\ncat >/dev/null\necho >>" << mark() << "\nexec sleep 60\n";
    chmod(path().c_str(), 0700);
  }
  ~HangingHelper() { std::filesystem::remove_all(directory_); }
  std::string path() const { return directory_ + "/helper"; }
  std::string mark() const { return directory_ + "/mark"; }
  // How often it was started and has read what it was given.
  int Started() const {
    std::ifstream file(mark());
    int lines = 0;
    for (std::string line; std::getline(file, line);) ++lines;
    return lines;
  }
  bool StartedSoon(int times) const {
    for (int i = 0; i < 2000 && Started() < times; ++i) usleep(5'000);
    return Started() == times;
  }

 private:
  std::string directory_;
};

std::vector<Alert> Events(size_t count) { return std::vector<Alert>(count); }

TEST_CASE("alerts that a hanging command leaves no room for are counted and told of", "[alert]") {
  const HangingHelper helper;
  AlertSender sender("true", "", helper.path(), milliseconds(1000));
  const test::CapturedStderr captured;
  sender.Deliver(Events(1), {});
  CHECK(sender.Poll());  // the command has it, and hangs
  sender.Deliver(Events(200), {});
  CHECK(captured.text().empty());
  sender.Deliver(Events(100), {});
  CHECK(sender.lost() == 44);
  CHECK(captured.text().find("256 alerts wait for the command already; 44 were not given") !=
        std::string::npos);
  sender.Deliver(Events(1), {});
  CHECK(sender.lost() == 45);
  sender.Finish(milliseconds(1));
}

TEST_CASE("an alert that a change of rights stops is given once more", "[alert]") {
  const HangingHelper helper;
  AlertSender sender("true", "", helper.path(), milliseconds(1000));
  const test::CapturedStderr captured;
  constexpr uint64_t kPatienceNs = 20'000'000'000;
  sender.Deliver(Events(1), {});
  CHECK(sender.Poll());
  REQUIRE(helper.StartedSoon(1));
  CHECK(EndHelpers(kPatienceNs));
  CHECK_FALSE(sender.Poll());  // it waits until the change is made
  sender.Finish(milliseconds(20'000));
  CHECK(helper.Started() == 1);
  AllowHelpers();
  CHECK(sender.Poll());
  REQUIRE(helper.StartedSoon(2));
  CHECK(EndHelpers(kPatienceNs));
  AllowHelpers();
  CHECK_FALSE(sender.Poll());  // twice is enough
  CHECK(captured.text().empty());
  CHECK(sender.lost() == 0);
}

}  // namespace
}  // namespace heapgauge
