#include "serve/alert_sender.h"

#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "support/captured_stderr.h"

namespace heapgauge {
namespace {

using std::chrono::milliseconds;

// A command that takes what it is given and never comes back.
class HangingHelper final {
 public:
  HangingHelper() {
    std::string directory = "/tmp/heapgauge-alerts-XXXXXX";
    if (mkdtemp(directory.data()) == nullptr) FAIL("no temporary directory");
    directory_ = directory;
    std::ofstream(path()) << "#!/bin/sh\nexec sleep 60\n";
    chmod(path().c_str(), 0700);
  }
  ~HangingHelper() { std::filesystem::remove_all(directory_); }
  std::string path() const { return directory_ + "/helper"; }

 private:
  std::string directory_;
};

std::vector<Alert> Events(size_t count) { return std::vector<Alert>(count); }

TEST_CASE("alerts that a hanging command leaves no room for are counted and told of",
          "[serve][alert]") {
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

}  // namespace
}  // namespace heapgauge
