#include "cli/program.h"

#include <absl/strings/str_cat.h>
#include <absl/strings/str_split.h>
#include <elf.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string_view>
#include <vector>

#include "base/basename.h"
#include "cli/message.h"
#include "elf/program_file.h"

namespace heapgauge::cli {
namespace {

constexpr char kShell[] = "/bin/sh";
constexpr int kMaxInterpreters = 5;  // the kernel's own limit for scripts of scripts

bool IsRunnableFile(const std::string& path, int* error) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) {
    *error = errno;
    return false;
  }
  if (S_ISDIR(status.st_mode)) {
    *error = EISDIR;
    return false;
  }
  if (faccessat(AT_FDCWD, path.c_str(), X_OK, AT_EACCESS) != 0) {
    *error = errno;
    return false;
  }
  return true;
}

void Unrunnable(Program* program, int status, std::string problem) {
  program->exit_status = status;
  program->problem = std::move(problem);
}

// A missing file is 127, one that is there but can't be run 126.
void NotRunnable(Program* program, const std::string& name, int error) {
  const char* why = error == EISDIR   ? "is a directory"
                    : error == EACCES ? "is not executable by you (permission denied)"
                                      : std::strerror(error);
  if (error == ENOENT || error == ENOTDIR) {
    Unrunnable(program, kExitNotFound, fmt::format("cannot run {}: no such file", name));
  } else {
    Unrunnable(program, kExitCannotRun, fmt::format("cannot run {}: it {}", name, why));
  }
}

// execvp's rule: the first runnable file wins; one that may not be run is remembered, and blamed if
// no other is found.
void SearchPath(const std::string& name, Program* program) {
  const char* variable = std::getenv("PATH");
  const std::vector<std::string> directories =
      absl::StrSplit(variable != nullptr ? variable : "/bin:/usr/bin", ':');
  int worst = ENOENT;
  for (const std::string& directory : directories) {
    const std::string candidate = absl::StrCat(directory.empty() ? "." : directory, "/", name);
    int error = 0;
    if (IsRunnableFile(candidate, &error)) {
      program->path = candidate;
      return;
    }
    // A directory of PATH that we may not enter hides nothing that could be named.
    if (error == EACCES && access(candidate.c_str(), F_OK) == 0) worst = EACCES;
  }
  if (worst == ENOENT) {
    Unrunnable(program, kExitNotFound, fmt::format("cannot run {}: not found in PATH", name));
  } else {
    NotRunnable(program, name, worst);
  }
}

std::string Resolved(const std::string& path) {
  std::array<char, PATH_MAX> resolved{};
  return realpath(path.c_str(), resolved.data()) != nullptr ? resolved.data() : path;
}

// "#! /usr/bin/env -S python3" -> "/usr/bin/env"; "" if the file is no script.
std::string InterpreterOf(std::string_view head) {
  if (!head.starts_with("#!")) return {};
  std::string_view line =
      head.substr(2, head.find('\n') == std::string_view::npos ? head.npos : head.find('\n') - 2);
  const size_t first = line.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  line.remove_prefix(first);
  return std::string(line.substr(0, line.find_first_of(" \t\r")));
}

// No binary: neither a known format nor a NUL in the first line.
bool IsPlainText(std::string_view head) {
  return !head.starts_with(ELFMAG) &&
         head.substr(0, head.find('\n')).find('\0') == std::string_view::npos;
}

std::string ReadHead(const std::string& path, size_t size) {
  std::string head(size, '\0');
  std::ifstream file(path, std::ios::binary);
  file.read(head.data(), static_cast<std::streamsize>(size));
  head.resize(static_cast<size_t>(file.gcount()));
  return head;
}

// Follows scripts to the program that interprets them.
void ResolveExecutable(Program* program) {
  program->executable = Resolved(program->path);
  program->name_path = program->path;
  for (int depth = 0; depth < kMaxInterpreters; ++depth) {
    const std::string head = ReadHead(program->executable, 256);
    const std::string interpreter = InterpreterOf(head);
    if (interpreter.empty()) {
      // execvp's rule: what the kernel does not know is a shell script.
      if (IsPlainText(head)) {
        program->executable = Resolved(kShell);
        program->name_path = kShell;
      }
      return;
    }
    int error = 0;
    if (!IsRunnableFile(interpreter, &error)) {
      return Unrunnable(
          program, kExitCannotRun,
          fmt::format("cannot run {}: its first line asks for {}, which {}", program->path,
                      interpreter, error == ENOENT ? "does not exist" : "cannot be run"));
    }
    program->executable = program->name_path = Resolved(interpreter);
  }
}

void JudgeElf(Program* program) {
  const elf::ProgramFile file = elf::ReadProgramFile(program->executable);
  if (file.word_bits == 0) return;
  if (file.word_bits != 64) {
    program->reach = Reach::kNo;
    program->reason = "it is a 32-bit program and heapgauge is 64-bit";
    return;
  }
  const std::string& loader = file.loader;
  if (!loader.empty() && access(loader.c_str(), F_OK) != 0) {
    Unrunnable(program, kExitCannotRun,
               fmt::format("cannot run {}: its loader {} does not exist", program->path, loader));
  } else if (loader.empty() && !Basename(program->executable).starts_with("ld")) {
    program->reach = Reach::kNo;
    program->reason = "it is statically linked, so nothing can be preloaded";
  } else if (loader.find("musl") != std::string::npos) {
    program->reach = Reach::kHarmful;
    program->reason = "it uses the musl C library and heapgauge is built for glibc";
  }
}

// The loader ignores LD_PRELOAD where a program gains rights by being run.
void JudgePrivileges(Program* program) {
  struct stat status {};
  if (stat(program->executable.c_str(), &status) != 0) return;
  const bool other_user = (status.st_mode & S_ISUID) != 0 && status.st_uid != getuid();
  const bool other_group = (status.st_mode & S_ISGID) != 0 && status.st_gid != getgid();
  const bool capable =
      getuid() != 0 && getxattr(program->executable.c_str(), "security.capability", nullptr, 0) > 0;
  if (!other_user && !other_group && !capable) return;
  program->reach = Reach::kNo;
  program->reason = fmt::format("it is {}, and the loader then ignores LD_PRELOAD",
                                capable      ? "a file with capabilities"
                                : other_user ? "set-user-id"
                                             : "set-group-id");
}

}  // namespace

bool IsShellScript(const std::string& path) { return IsPlainText(ReadHead(path, 256)); }

Program FindProgram(const std::string& name) {
  Program program;
  if (name.empty()) {
    Unrunnable(&program, kExitNotFound, "cannot run \"\": the command is empty");
    return program;
  }
  if (name.find('/') == std::string::npos) {
    SearchPath(name, &program);
  } else {
    int error = 0;
    if (IsRunnableFile(name, &error)) {
      program.path = name;
    } else {
      NotRunnable(&program, name, error);
    }
  }
  if (program.exit_status == 0) ResolveExecutable(&program);
  if (program.exit_status != 0) return program;
  JudgeElf(&program);
  if (program.exit_status == 0 && program.reach == Reach::kYes) JudgePrivileges(&program);
  return program;
}

}  // namespace heapgauge::cli
