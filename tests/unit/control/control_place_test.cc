#include "control/control_place.h"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>

namespace heapgauge {
namespace {

TEST_CASE("sockets lie in the user's runtime directory, or below /tmp", "[control]") {
  char made[] = "/tmp/heapgauge_place.XXXXXX";
  REQUIRE(mkdtemp(made) != nullptr);
  CHECK(ControlDirectory(made, geteuid()) == std::string(made) + "/heapgauge");
  const std::string fallback = "/tmp/heapgauge-" + std::to_string(geteuid());
  CHECK(ControlDirectory("", geteuid()) == fallback);
  CHECK(ControlDirectory("relative", geteuid()) == fallback);
  CHECK(ControlDirectory("/no/such/place", geteuid()) == fallback);
  // Another user's, as sudo may leave it.
  CHECK(ControlDirectory(made, geteuid() + 1) == "/tmp/heapgauge-" + std::to_string(geteuid() + 1));
  CHECK(ControlDirectory("", 7, "/proc/1/root") == "/proc/1/root/tmp/heapgauge-7");
  rmdir(made);
}

TEST_CASE("a socket is named after its process", "[control]") {
  CHECK(ControlName(4242) == "4242.sock");
  CHECK(ControlName(1, 2) == "1-2.sock");
}

}  // namespace
}  // namespace heapgauge
