#include "cli/run_options.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <span>
#include <string_view>

#include "cli/message.h"
#include "options/options.h"
#include "report/output_directory.h"

namespace heapgauge::cli {
namespace {

constexpr char kRunDescription[] =
    "Runs CMD with heapgauge preloaded and writes reports on what its heap holds and what grows "
    "there. Its output\n"
    "and exit status are CMD's; at the end one line on standard error says where the report is.\n"
    "Each option sets the environment variable of the same name (--sample-interval: "
    "HEAPGAUGE_SAMPLE_INTERVAL).";

constexpr char kRunFooter[] =
    "Examples:\n"
    "  heapgauge run -- ./checkout_service --port 8080\n"
    "  heapgauge run --report-interval 10s --output /var/tmp/heap.%h.%p -- redis-server "
    "redis.conf\n"
    "  heapgauge run --sample-interval 1 -- python3 script.py     every allocation, exactly\n"
    "  heapgauge run --follow none -- make -j4                    make itself, not what it "
    "starts\n\n"
    "Exit status: CMD's. 126: CMD cannot be run, 127: it was not found, 2: these options are "
    "wrong.";

constexpr char kAttachDescription[] =
    "Starts tracking the process PID, which was started without heapgauge, and says where its "
    "reports will be. What it\n"
    "holds already is not known: reports are on what it allocates from now on. One of its threads "
    "is interrupted for a\n"
    "millisecond or two; nothing is lost. On a process that is tracked already: starts again after "
    "--stop, with a new\n"
    "--sample-interval if one is given.";

constexpr char kAttachFooter[] =
    "Examples:\n"
    "  heapgauge attach 4242\n"
    "  heapgauge attach --sample-interval 64KiB --report-interval 10s --output /var/tmp/heap.%p "
    "4242\n"
    "  heapgauge attach --stop 4242\n\n"
    "Needs the right to trace the process: the same user and kernel.yama.ptrace_scope 0, or "
    "root.\n"
    "Exit status: 0 when it is tracked (with --stop: no longer), 2 when that can't be, with one "
    "line that says why.";

std::span<const OptionSpec> Specs() {
  size_t count = 0;
  const OptionSpec* specs = OptionSpecs(&count);
  return {specs, count};
}

std::string OptionName(std::string_view suffix) {
  std::string name = "--";
  for (const char c : suffix)
    name += c == '_' ? '-' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return name;
}

bool IsOneOf(std::string_view value, std::initializer_list<std::string_view> accepted) {
  return std::find(accepted.begin(), accepted.end(), value) != accepted.end();
}

// What the library can only find out when it is too late to ask.
bool IsUsable(std::string_view suffix, const std::string& value) {
  return suffix != "HTTP_TOKEN_FILE" || access(value.c_str(), R_OK) == 0;
}

std::string WrongValue(const OptionSpec& spec, const std::string& value) {
  Options scratch;
  const bool good =
      !value.empty() && spec.parse(scratch, value.c_str()) && IsUsable(spec.suffix, value);
  if (good) return {};
  return fmt::format("{} {}: not {}", OptionName(spec.suffix), value.empty() ? "\"\"" : value,
                     spec.accepted);
}

// An option for each variable, and what was given.
class VariableOptions final {
 public:
  VariableOptions(CLI::App* app, std::initializer_list<std::string_view> left_out) {
    for (const OptionSpec& spec : Specs()) {
      if (IsOneOf(spec.suffix, left_out)) continue;
      std::string help = spec.help;
      if (spec.default_text[0] != '\0') help += fmt::format(" (default {})", spec.default_text);
      CLI::Option* option = app->add_option(OptionName(spec.suffix), values_[spec.suffix], help);
      options_.emplace_back(&spec, option->type_name(spec.value));
    }
  }

  // After the parsing.  What is wrong with a value, or "".
  std::string Take(std::map<std::string, std::string>* variables) {
    for (const auto& [spec, option] : options_) {
      if (option->count() == 0) continue;
      const std::string& value = values_[spec->suffix];
      if (const std::string wrong = WrongValue(*spec, value); !wrong.empty()) return wrong;
      (*variables)[kOptionPrefix + std::string(spec->suffix)] = value;
    }
    return {};
  }

 private:
  std::map<std::string, std::string> values_;
  std::vector<std::pair<const OptionSpec*, CLI::Option*>> options_;
};

}  // namespace

std::optional<RunRequest> ParseRun(const Arguments& arguments, int* status) {
  const auto app = MakeApp("heapgauge run", "[options] [--] CMD [ARG...]", kRunDescription);
  app->footer(kRunFooter);
  VariableOptions options(app.get(), {});

  const Split split = SplitAtCommand(*app, arguments);
  const auto at = [&](size_t i) { return arguments.begin() + static_cast<std::ptrdiff_t>(i); };
  if (const auto done = Parse(*app, Arguments(arguments.begin(), at(split.options_end)))) {
    *status = *done;
    return std::nullopt;
  }

  RunRequest request;
  request.command.assign(at(split.command_begin), arguments.end());
  if (const std::string wrong = options.Take(&request.variables); !wrong.empty()) {
    *status = Fail(wrong);
    return std::nullopt;
  }
  if (request.command.empty()) {
    *status = Fail(
        "no command to run: heapgauge run [options] [--] CMD [ARG...] (see heapgauge run --help)");
    return std::nullopt;
  }
  return request;
}

std::optional<AttachRequestOptions> ParseAttach(const Arguments& arguments, int* status) {
  const auto app = MakeApp("heapgauge attach", "[options] PID", kAttachDescription);
  app->footer(kAttachFooter);
  AttachRequestOptions request;
  std::string pid;
  app->add_flag("--stop", request.stop, "stop tracking; blocks that are known are still followed");
  app->add_flag("--allow-seccomp", request.allow_seccomp,
                "attach although the process has a seccomp filter, which may kill it");
  // It starts, whoever it is: that is what was asked for.
  VariableOptions options(app.get(), {"START", "ONLY"});
  app->add_option("PID", pid, "the process");
  if (const auto done = Parse(*app, arguments)) {
    *status = *done;
    return std::nullopt;
  }
  std::string wrong = options.Take(&request.variables);
  if (wrong.empty() && pid.empty())
    wrong = "no process: heapgauge attach [options] PID (see heapgauge attach --help)";
  const std::optional<pid_t> number = ParsePid(pid);
  request.pid = number.value_or(0);
  if (wrong.empty() && !number) wrong = fmt::format("{}: not the number of a process", pid);
  if (wrong.empty() && request.stop && !request.variables.empty())
    wrong = "--stop takes no other options";
  if (!wrong.empty()) {
    *status = Fail(wrong);
    return std::nullopt;
  }
  return request;
}

}  // namespace heapgauge::cli
