// heapgauge-serve: reports over HTTP, from a report directory.  Started by the library
// (HEAPGAUGE_HTTP) with its arguments on standard input, or by `heapgauge serve`.
#include <fmt/core.h>
#include <unistd.h>

#include <exception>
#include <string>
#include <vector>

#include "base/whole_io.h"
#include "serve/server.h"
#include "serve/settings.h"

int main(int argc, char** argv) {
  using namespace heapgauge;
  const std::vector<std::string> arguments(argv + (argc > 0 ? 1 : 0), argv + argc);
  std::string problem;
  try {
    const auto settings = serve::ReadSettings(arguments, &problem);
    if (settings) problem = serve::Serve(*settings);
  } catch (const std::exception& error) {
    problem = error.what();
  }
  if (problem.empty()) return 0;
  // Whoever started it reads one of them.
  if (arguments.empty()) {
    WriteAll(STDOUT_FILENO, problem + "\n");
  } else {
    fmt::print(stderr, "heapgauge: {}\n", problem);
  }
  return 2;
}
