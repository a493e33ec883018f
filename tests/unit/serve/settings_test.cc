#include "serve/settings.h"

#include <catch2/catch.hpp>

#include "unit/report/temp_directory.h"

namespace heapgauge::serve {
namespace {

std::string Problem(const std::vector<std::string>& arguments) {
  return std::string(ReadSettings(arguments).status().message());
}

TEST_CASE("an address is split at its port", "[serve]") {
  std::string host;
  int port = 0;
  REQUIRE(SplitAddress("127.0.0.1:9191", &host, &port));
  CHECK((host == "127.0.0.1" && port == 9191));
  REQUIRE(SplitAddress("[::1]:0", &host, &port));
  CHECK((host == "::1" && port == 0));
  for (const char* wrong : {"", ":1", "localhost", "localhost:", "localhost:x", "localhost:65536",
                            "localhost:-1", "localhost:1 "}) {
    CAPTURE(wrong);
    CHECK_FALSE(SplitAddress(wrong, &host, &port));
  }
}

TEST_CASE("loopback is what no other machine reaches", "[serve]") {
  for (const char* host : {"127.0.0.1", "127.255.0.9", "::1", "localhost"}) CHECK(IsLoopback(host));
  for (const char* host : {"0.0.0.0", "::", "10.0.0.1", "128.0.0.1", "localhost.example",
                           "127.0.0.1.example", "", "127.1.example", "::ffff:10.0.0.1"}) {
    CAPTURE(host);
    CHECK_FALSE(IsLoopback(host));
  }
}

TEST_CASE("an address for other machines needs a token", "[serve]") {
  const TempDirectory directory;
  const std::string token = directory.Write("token", "correct-horse\r\n");
  CHECK(Problem({"--directory", "d", "--listen", "127.0.0.1:0"}) == "");
  CHECK(Problem({"--directory", "d", "--listen", "0.0.0.0:0"}).find("needs a token file") !=
        std::string::npos);
  const auto settings = ReadSettings(
      {"--directory", "d", "--listen", "0.0.0.0:80", "--token-file", token, "--pid", "7"});
  REQUIRE(settings.ok());
  CHECK(settings->token == "correct-horse");
  CHECK((settings->host == "0.0.0.0" && settings->port == 80 && settings->pid == 7));
}

TEST_CASE("a token that would let anybody in is refused", "[serve]") {
  const TempDirectory directory;
  const auto problem = [&](const std::string& content) {
    const std::string path = directory.Write("token", content);
    return Problem({"--directory", "d", "--token-file", path});
  };
  CHECK(problem("") != "");
  CHECK(problem("\n\n") != "");
  CHECK(problem("seven77") != "");
  CHECK(problem("two words here") != "");
  CHECK(problem("line-one\nline-two") != "");
  CHECK(problem(std::string(5000, 'x')) != "");
  CHECK(problem("eight888") == "");
  CHECK(Problem({"--directory", "d", "--token-file", directory / "none"}) != "");
}

TEST_CASE("what is not understood is named", "[serve]") {
  CHECK(Problem({"--listen"}) == "--listen needs a value");
  CHECK(Problem({"--directory", "d", "--colour", "red"}) == "--colour red: not understood");
  CHECK(Problem({"--directory", "d", "--pid", "x"}) == "--pid x: not understood");
  CHECK(Problem({"--announce"}).find("heapgauge serve PID|DIR") != std::string::npos);
}

}  // namespace
}  // namespace heapgauge::serve
