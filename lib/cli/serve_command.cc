#include "cli/serve_command.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/types.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <optional>

#include "base/whole_io.h"
#include "cli/message.h"
#include "cli/open_viewer.h"
#include "cli/report_place.h"
#include "helper/program_path.h"
#include "report/printable.h"

namespace heapgauge::cli {
namespace {

constexpr char kServeDescription[] =
    "Serves the reports of a process, or of a report directory, over HTTP: / (the newest report), "
    "/report, /report.json, /history.json, /debug/pprof/heap and allocs, /metrics, /healthz. With "
    "a PID it ends with that process, else by Ctrl-C.";

constexpr char kServeFooter[] =
    "Examples:\n"
    "  heapgauge serve 4242 --open\n"
    "  heapgauge serve heapgauge.checkout.4242 --listen 127.0.0.1:9191\n"
    "  go tool pprof http://127.0.0.1:9191/debug/pprof/heap\n\n"
    "Exit status: 0, or 2 if there is nothing to serve or the address can't be listened on.";

struct ServeRequest {
  std::string what;
  std::string listen = "127.0.0.1:0";
  std::string token_file;
  bool open = false;
};

// From here on standard output goes through a process that opens the first line, the address, in
// the browser; we ourselves become the server.
void OpenFirstLine() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return;
  const pid_t reader = fork();
  if (reader == 0) {
    close(ends[1]);
    std::string line;
    for (char c = 0; read(ends[0], &c, 1) == 1 && c != '\n';) line += c;
    if (line.empty()) _exit(0);
    WriteAll(STDOUT_FILENO, line + "\n");
    if (!OpenInBrowser(line)) Say("no browser was found: open the address above in one");
    _exit(0);
  }
  if (reader > 0) dup2(ends[1], STDOUT_FILENO);
  close(ends[0]);
  close(ends[1]);
}

}  // namespace

int ServeCommand(const Arguments& arguments) {
  ServeRequest request;
  const auto app = MakeApp("heapgauge serve", "PID|DIR [options]", kServeDescription);
  app->footer(kServeFooter);
  app->add_option("WHAT", request.what, "a process that is tracked, or a report directory");
  app->add_option("--listen", request.listen,
                  "where to listen; port 0, the default, is any that is free. An address that "
                  "other machines reach needs a token file")
      ->type_name("ADDRESS:PORT");
  app->add_option("--token-file", request.token_file,
                  "the file that holds the bearer token that each request must carry")
      ->type_name("FILE");
  app->add_flag("--open", request.open, "open the page in the browser");
  if (const auto done = Parse(*app, arguments)) return *done;
  if (request.what.empty())
    return Fail("neither a PID nor a DIR, e.g. heapgauge serve 4242 (see heapgauge serve --help)");

  const std::string program = heapgauge::FindProgram(kServeProgram);
  if (program.empty()) return Fail("heapgauge-serve is not installed beside this command");
  Arguments passed = {program, "--listen", request.listen};
  const std::optional<pid_t> pid = ParsePid(request.what);
  std::error_code ignored;
  const bool is_directory = std::filesystem::is_directory(request.what, ignored);
  if (pid && !is_directory) {
    const absl::StatusOr<std::string> directory = ReportDirectoryOf(*pid);
    if (!directory.ok()) return Fail(directory.status());
    passed.insert(passed.end(), {"--directory", *directory, "--pid", request.what});
  } else if (is_directory) {
    passed.insert(passed.end(), {"--directory", request.what});
  } else {
    return Fail(fmt::format("{}: neither a PID nor a report directory", Printable(request.what)));
  }
  if (!request.token_file.empty())
    passed.insert(passed.end(), {"--token-file", request.token_file});
  if (request.open && !request.token_file.empty())
    return Fail("--open and --token-file: a browser has no token to show");
  if (request.open) OpenFirstLine();
  std::vector<char*> words;
  for (std::string& word : passed) words.push_back(word.data());
  words.push_back(nullptr);
  execv(program.c_str(), words.data());
  return Fail(fmt::format("{}: {}", Printable(program), std::strerror(errno)));
}

}  // namespace heapgauge::cli
