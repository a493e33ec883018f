// heapgauge-serve: reports over HTTP, from a report directory.  Started by the library
// (HEAPGAUGE_HTTP) with its arguments on standard input, or by `heapgauge serve`.
#include <fmt/core.h>
#include <unistd.h>

#include <exception>
#include <string>
#include <vector>

#include "base/whole_io.h"
#include "serve/one_file.h"
#include "serve/server.h"
#include "serve/settings.h"

namespace {

constexpr size_t kMostFileBytes = size_t{1} << 30;

}  // namespace

int main(int argc, char** argv) {
  using namespace heapgauge;
  const std::vector<std::string> arguments(argv + (argc > 0 ? 1 : 0), argv + argc);
  std::string problem;
  try {
    const auto settings = serve::ReadSettings(arguments);
    if (!settings.ok()) {
      problem = std::string(settings.status().message());
    } else if (!settings->once.empty()) {
      serve::OneFile file{
          settings->once, settings->media_type, settings->origin, settings->port, {}};
      ReadAll(STDIN_FILENO, kMostFileBytes, &file.content);
      problem = serve::ServeOnce(file);
    } else {
      problem = serve::Serve(*settings);
    }
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
