#include "cli/open_viewer.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "base/whole_io.h"
#include "cli/message.h"
#include "cli/report_formats.h"
#include "helper/program_path.h"
#include "report/percent_text.h"

extern char** environ;

namespace heapgauge::cli {
namespace {

struct Viewer {
  std::string_view name;
  std::string_view format;
  std::string_view origin;  // who fetches the file
  std::string_view before;  // the file's address, escaped, goes behind it; "" opens the file itself
  int port;                 // where the viewer's own policy lets it ask; 0: anywhere
};

constexpr Viewer kViewers[] = {
    {"browser", "html", "", "", 0},
    {"speedscope", "speedscope", "https://www.speedscope.app",
     "https://www.speedscope.app/#profileURL=", 0},
    {"firefox", "firefox", "https://profiler.firefox.com", "https://profiler.firefox.com/from-url/",
     0},
    {"perfetto", "pprof", "https://ui.perfetto.dev", "https://ui.perfetto.dev/#!/?url=", 9001},
};

const Viewer& Find(std::string_view name) {
  for (const Viewer& viewer : kViewers) {
    if (viewer.name == name) return viewer;
  }
  return kViewers[0];
}

struct Server {
  pid_t pid = -1;
  int in = -1;   // the file's bytes
  int out = -1;  // its address
};

std::string Start(const Viewer& viewer, Server* server) {
  const std::string program = heapgauge::FindProgram(kServeProgram);
  if (program.empty()) return "heapgauge-serve is not installed beside this command";
  std::vector<std::string> words = {program,
                                    "--once",
                                    std::string(FileNameOf(viewer.format)),
                                    "--media-type",
                                    std::string(MediaTypeOf(viewer.format)),
                                    "--origin",
                                    std::string(viewer.origin),
                                    "--listen",
                                    fmt::format("127.0.0.1:{}", viewer.port)};
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  int in[2];
  int out[2];
  if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0) return std::strerror(errno);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
  const int failure =
      posix_spawn(&server->pid, program.c_str(), &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  close(in[0]);
  close(out[1]);
  server->in = in[1];
  server->out = out[0];
  return failure == 0 ? std::string() : std::strerror(failure);
}

// The address, once the server listens; "" if it ended before.
std::string ReadLine(int fd) {
  std::string line;
  for (char c = 0; read(fd, &c, 1) == 1 && c != '\n';) line += c;
  return line;
}

std::string Variable(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

}  // namespace

const std::vector<std::string>& Viewers() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const Viewer& viewer : kViewers) all.emplace_back(viewer.name);
    return all;
  }();
  return names;
}

std::string_view FormatOf(std::string_view viewer) { return Find(viewer).format; }

bool OpenInBrowser(const std::string& url) {
  std::string program = Variable("BROWSER");
  if (program.empty()) {
    if (Variable("DISPLAY").empty() && Variable("WAYLAND_DISPLAY").empty()) return false;
    program = "xdg-open";
  }
  std::string argument = url;
  char* const words[] = {program.data(), argument.data(), nullptr};
  // Its words are none of ours.
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t ours;
  sigemptyset(&ours);
  sigaddset(&ours, SIGPIPE);
  posix_spawnattr_setsigdefault(&attributes, &ours);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
  pid_t pid = -1;
  const int failure = posix_spawnp(&pid, program.c_str(), &actions, &attributes, words, environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return failure == 0;
}

std::string OpenInViewer(std::string_view name, const std::string& content) {
  const Viewer& viewer = Find(name);
  std::signal(SIGPIPE, SIG_IGN);
  Server server;
  if (std::string wrong = Start(viewer, &server); !wrong.empty()) return wrong;
  const bool handed_over = WriteAll(server.in, content);
  close(server.in);
  const std::string address = handed_over ? ReadLine(server.out) : std::string();
  close(server.out);
  if (!address.empty()) {
    const std::string url =
        viewer.before.empty() ? address : std::string(viewer.before) + PercentEncoded(address);
    if (OpenInBrowser(url)) {
      Say(fmt::format("opened {} in the browser", url));
    } else {
      Say(fmt::format("open this in a browser within two minutes: {}", url));
    }
  }
  int status = 0;
  while (waitpid(server.pid, &status, 0) < 0 && errno == EINTR) {
  }
  // The server has said what was wrong.
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  return "the report was not shown";
}

}  // namespace heapgauge::cli
