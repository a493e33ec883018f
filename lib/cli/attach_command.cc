#include "cli/attach_command.h"

#include <fmt/core.h>
#include <sys/auxv.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <new>
#include <optional>
#include <string_view>

#include "attach/injection.h"
#include "attach/loader_list.h"
#include "attach/process.h"
#include "base/basename.h"
#include "base/pause.h"
#include "cli/message.h"
#include "cli/preload.h"
#include "cli/run_options.h"
#include "elf/program_file.h"
#include "options/options.h"
#include "report/output_directory.h"

namespace heapgauge::cli {
namespace {

using attach::AttachOutcome;
using attach::AttachTarget;
using attach::Exports;
using attach::ExportsFunction;
using attach::HasEnded;
using attach::ImageOf;
using attach::Inject;
using attach::LoadedModule;
using attach::Mapping;
using attach::ModulesOf;
using attach::ModuleSymbols;
using attach::Patience;
using attach::ReadBudget;
using attach::ReadMappings;
using attach::ReadMemory;
using attach::StatusField;
using attach::WhyNotFollowed;

constexpr rlim_t kMostMemory = rlim_t{2} << 30;
constexpr unsigned kReadSeconds = 20;
constexpr long kMostModules = 8192;  // with code; programs have hundreds
constexpr int kMostOfOurs = 4;       // modules by the name of our library
// A process in the midst of exec() looks like anything.  What is against it counts when it looks
// the same for so long, and at the latest after so many looks.
constexpr long kLookMs = 20;
constexpr int kSameLooks = 15;
constexpr int kMostLooks = 100;

std::string Proc(pid_t pid, std::string_view rest = "") {
  return fmt::format("/proc/{}{}", pid, rest);
}

// What a hostile process says of itself must not cost the machine its memory.
void LimitMemory() {
  struct rlimit limit {};
  if (getrlimit(RLIMIT_DATA, &limit) != 0 || limit.rlim_cur <= kMostMemory) return;
  limit.rlim_cur = kMostMemory;
  setrlimit(RLIMIT_DATA, &limit);
}

// What the kernel told the process at its start; 0 when it did not tell.
uint64_t AuxiliaryValue(pid_t pid, uint64_t type) {
  std::ifstream file(Proc(pid, "/auxv"), std::ios::binary);
  uint64_t entry[2];
  while (file.read(reinterpret_cast<char*>(entry), sizeof(entry))) {
    if (entry[0] == type) return entry[1];
  }
  return 0;
}

std::string WhyNotPermitted(pid_t pid) {
  struct stat status {};
  if (stat(Proc(pid).c_str(), &status) == 0 && geteuid() != 0 && status.st_uid != geteuid())
    return fmt::format("it belongs to another user ({}); ask as that user or as root",
                       status.st_uid);
  std::ifstream file("/proc/sys/kernel/yama/ptrace_scope");
  int scope = 0;
  if (file >> scope && scope > 0 && geteuid() != 0) {
    return fmt::format(
        "kernel.yama.ptrace_scope is {}, which allows only root to trace; ask as root", scope);
  }
  return geteuid() != 0
             ? "this is not permitted (it changed its user or forbids it); ask as root"
             : "this is not permitted here (a container without CAP_SYS_PTRACE, or a filter?)";
}

// What can be said before anything is touched.  "" when nothing is against it.
std::string WhyNot(pid_t pid, bool allow_seccomp) {
  const std::string place = Proc(pid);
  if (kill(pid, 0) != 0 && errno == ESRCH) return "there is no such process";
  const std::string state = StatusField(place, "State");
  if (state.empty()) return "there is no such process";
  const std::string leader = StatusField(place, "Tgid");
  if (leader != std::to_string(pid))
    return fmt::format("it is a thread; its process is {}", leader);
  if (state.starts_with('Z') || state.starts_with('X')) return "it has ended";
  if (pid == getpid()) return "that is this command";
  const std::string tracer = StatusField(place, "TracerPid");
  if (!tracer.empty() && tracer != "0")
    return fmt::format("process {} (a debugger?) traces it already", tracer);
  if (state.starts_with('T') || state.starts_with('t'))
    return fmt::format("it is stopped; continue it first (kill -CONT {})", pid);
  char link[1];
  if (readlink(Proc(pid, "/exe").c_str(), link, sizeof(link)) < 0) {
    if (errno != ENOENT) return WhyNotPermitted(pid);
    const bool kernels = pid == 2 || StatusField(place, "PPid") == "2";
    return kernels ? "it is a thread of the kernel's" : "it has ended";
  }
  const std::string seccomp = StatusField(place, "Seccomp");
  if (seccomp == "1") return "it is in seccomp's strict mode, in which no library can be loaded";
  if (seccomp == "2" && !allow_seccomp) {
    return "it has a seccomp filter, which may kill it for what loading a library takes; "
           "--allow-seccomp if the filter is a container's";
  }
  if (StatusField(place, "x86_Thread_features").find("shstk") != std::string::npos)
    return "it has a shadow stack, on which no call can be made from outside";
  return {};
}

// The library, if the process can open it.
absl::StatusOr<std::string> LibraryThere(pid_t pid, const std::string& library) {
  for (const std::string& path :
       {library, library.substr(0, library.rfind('/') + 1) + "libheapgauge-core.so"}) {
    struct stat there {};
    if (stat(Proc(pid, "/root" + path).c_str(), &there) != 0) {
      return absl::NotFoundError(fmt::format(
          "{} does not exist where it runs (a container?); install heapgauge there too", path));
    }
  }
  return library;
}

std::string Examine(AttachTarget* target) {
  const pid_t pid = target->pid;
  target->image = ImageOf(pid);
  if (elf::ReadProgramFile(Proc(pid, "/exe")).word_bits == 32)
    return "it is a 32-bit program and heapgauge is 64-bit";
  const std::vector<Mapping> mappings = ReadMappings(pid);
  if (mappings.empty()) {
    return access(Proc(pid, "/maps").c_str(), R_OK) == 0
               ? "its mappings can't be read, or are more than can be looked at"
               : WhyNotPermitted(pid);
  }
  int ours = 0;
  target->modules = ModulesOf(mappings);
  if (std::count_if(target->modules.begin(), target->modules.end(),
                    [](const LoadedModule& module) { return module.has_code; }) > kMostModules) {
    return "it has more modules than can be looked at";
  }
  const uint64_t loader = AuxiliaryValue(pid, AT_BASE);
  for (const attach::LoadedModule& module : target->modules) {
    const std::string_view name = Basename(module.path);
    if (name.starts_with("ld-musl")) return "it uses the musl C library; heapgauge is for glibc";
    if (loader != 0 && module.Holds(loader)) target->loader = module;
    if (name.starts_with("libc.so.6") || name.starts_with("libc-2.")) {
      target->c_library = module;
    }
    if (name.starts_with("libheapgauge.so") && target->entry == 0 && ++ours <= kMostOfOurs)
      target->entry = ModuleSymbols(pid, module).Find(kAttachEntryName);
  }
  char byte;
  if (!target->modules.empty() && !ReadMemory(pid, target->modules[0].base, &byte, 1))
    return WhyNotPermitted(pid);
  if (target->c_library.base == 0)
    return "it is statically linked or has another C library; a library can't be loaded into it";
  if (target->loader.base == 0) return "its loader can't be found, so nothing can be loaded";
  if (ModuleSymbols(pid, target->loader).empty()) return "the tables of its loader can't be read";
  const uint64_t program = AuxiliaryValue(pid, AT_PHDR);
  ReadBudget budget;
  for (const LoadedModule& module : target->modules) {
    if (module.Holds(program) && ExportsFunction(pid, module, "malloc", &budget) == Exports::kYes)
      return "it has an allocator of its own linked in, and calls it past everybody";
  }
  return {};
}

// The process may have another directory, and its reports go where the command was typed.
std::string Settings(const std::map<std::string, std::string>& given) {
  std::map<std::string, std::string> variables = given;
  std::string& output = variables["HEAPGAUGE_OUTPUT"];
  if (const std::string absolute = AbsoluteOutputPattern(output); !absolute.empty())
    output = absolute;
  if (output.empty()) output = kDefaultOutputPattern;
  std::string settings;
  for (const auto& [name, value] : variables) {
    settings.append(name).append("=").append(value).push_back('\0');
  }
  return settings;
}

// As it was asked for: redis-server is a link to redis-check-rdb.
std::string NameOf(pid_t pid) {
  char started_by[PATH_MAX] = "";
  const uint64_t at = AuxiliaryValue(pid, AT_EXECFN);
  // Up to the end of its page: beyond the stack's end there is nothing to read.
  const size_t room = std::min<size_t>(sizeof(started_by) - 1, 4096 - at % 4096);
  const bool known = at != 0 && ReadMemory(pid, at, started_by, room) && started_by[0] != '\0';
  return known ? std::string(Basename(started_by)) : ExecutableName(Proc(pid, "/exe").c_str());
}

// A refusal that may be due to an exec() under way; false when it is to be believed.
class Looks final {
 public:
  bool Again(pid_t pid, const std::string& why) {
    const std::string image = ImageOf(pid);
    same_ = why == why_ && image == image_ ? same_ + 1 : 0;
    why_ = why;
    image_ = image;
    if (++all_ >= kMostLooks || same_ >= kSameLooks || (kill(pid, 0) != 0 && errno == ESRCH)) {
      return false;
    }
    PauseFor(kLookMs * 1'000'000);
    return true;
  }

 private:
  std::string why_, image_;
  int same_ = 0;
  int all_ = 0;
};

}  // namespace

int AttachCommand(const Arguments& arguments) {
  int status = kExitUsage;
  const std::optional<AttachRequestOptions> wanted = ParseAttach(arguments, &status);
  if (!wanted) return status;
  const pid_t pid = wanted->pid;
  const std::string cannot =
      fmt::format("cannot {} {}", wanted->stop ? "stop tracking" : "attach to", pid);
  const auto refuse = [&](const std::string& why) { return Fail(cannot + ": " + why); };
  // What was seen of a process that has ended says nothing of what it was.
  const auto refuse_seen = [&](const std::string& why) {
    return refuse(HasEnded(pid) ? "it ended meanwhile" : why);
  };
  if (const std::string why = WhyNot(pid, wanted->allow_seccomp); !why.empty()) return refuse(why);

  LimitMemory();
  AttachRequest request;
  request.action = wanted->stop ? AttachAction::kStop : AttachAction::kStart;
  const auto interval = wanted->variables.find("HEAPGAUGE_SAMPLE_INTERVAL");
  if (interval != wanted->variables.end())
    ParseSize(interval->second.c_str(), &request.sample_interval);
  const std::string settings = Settings(wanted->variables);
  if (settings.size() + 1 > sizeof(request.settings)) return Fail("the options are too long");
  settings.copy(request.settings, settings.size());

  Looks looks;
  AttachOutcome outcome;
  Patience patience(cannot);
  patience.Give(kReadSeconds);
  try {
    for (;;) {
      AttachTarget target;
      target.pid = pid;
      target.patience = &patience;
      if (std::string why = Examine(&target); !why.empty()) {
        if (looks.Again(pid, why)) continue;
        return refuse_seen(why);
      }
      if (target.entry == 0 && wanted->stop) return refuse("heapgauge is not in it");
      if (const std::string why =
              wanted->stop ? "" : WhyNotFollowed(pid, target.loader, target.modules);
          !why.empty()) {
        if (looks.Again(pid, why)) continue;
        return refuse_seen(why);
      }
      absl::StatusOr<std::string> library = FindLibrary();
      if (target.entry == 0 && library.ok()) library = LibraryThere(pid, *library);
      if (!library.ok()) return refuse_seen(std::string(library.status().message()));
      outcome = Inject(target, *library, request);
      patience.Give(kReadSeconds);
      if (outcome.done || !outcome.unsettled || !looks.Again(pid, outcome.text)) break;
    }
  } catch (const std::bad_alloc&) {
    return refuse("there is no memory for what has to be read of it, up to 2 GiB");
  }
  if (!outcome.done) return refuse_seen(outcome.text);
  const std::string name = NameOf(pid);
  const std::string where =
      outcome.text.empty() ? "none could be written so far" : outcome.text + "/report.txt";
  Say(fmt::format("{} {} ({}); report: {}", wanted->stop ? "no longer tracking" : "tracking", name,
                  pid, where));
  return kExitGood;
}

}  // namespace heapgauge::cli
