#include "cli/program.h"

#include <elf.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>

#include "unit/report/temp_directory.h"

namespace heapgauge::cli {
namespace {

namespace fs = std::filesystem;

std::string Executable(const TempDirectory& temp, const std::string& name,
                       const std::string& content) {
  const std::string path = temp.Write(name, content);
  chmod(path.c_str(), 0755);
  return path;
}

// An ELF header and, with `loader`, the segment that names it.
std::string Elf(unsigned char elf_class, const std::string& loader) {
  Elf64_Ehdr header{};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = elf_class;
  header.e_phoff = sizeof(header);
  header.e_phentsize = sizeof(Elf64_Phdr);
  header.e_phnum = loader.empty() ? 0 : 1;
  Elf64_Phdr segment{};
  segment.p_type = PT_INTERP;
  segment.p_offset = sizeof(header) + sizeof(segment);
  segment.p_filesz = loader.size() + 1;
  std::string file(reinterpret_cast<const char*>(&header), sizeof(header));
  file.append(reinterpret_cast<const char*>(&segment), sizeof(segment));
  return file + loader + '\0';
}

class Path final {
 public:
  explicit Path(const std::string& value) : before_(std::getenv("PATH")) {
    setenv("PATH", value.c_str(), 1);
  }
  ~Path() { setenv("PATH", before_.c_str(), 1); }
  Path(const Path&) = delete;
  Path& operator=(const Path&) = delete;

 private:
  std::string before_;
};

TEST_CASE("a program is found in PATH as execvp would", "[cli][program]") {
  const TempDirectory temp;
  fs::create_directories(temp / "a/tool");
  fs::create_directory(temp / "b");
  fs::create_directory(temp / "c");
  temp.Write("b/tool", "no x bit");
  Executable(temp, "c/tool", "#!/bin/sh\n");
  const Path path((temp / "a") + ":" + (temp / "none") + ":" + (temp / "b") + ":" + (temp / "c"));
  const Program program = FindProgram("tool");
  CHECK(program.exit_status == 0);
  CHECK(program.path == temp / "c/tool");
  CHECK(program.executable == fs::canonical("/bin/sh").string());

  fs::remove(temp / "c/tool");
  if (geteuid() != 0 || access((temp / "b/tool").c_str(), X_OK) != 0) {
    CHECK(FindProgram("tool").exit_status == 126);
  }
  CHECK(FindProgram("no-such-tool").exit_status == 127);
  CHECK(FindProgram("no-such-tool").problem == "cannot run no-such-tool: not found in PATH");
}

TEST_CASE("what cannot be run says why, with 126 or 127", "[cli][program]") {
  const TempDirectory temp;
  const auto problem = [](const std::string& path, int status) {
    const Program program = FindProgram(path);
    CHECK(program.exit_status == status);
    return program.problem;
  };
  CHECK(problem("", 127) == "cannot run \"\": the command is empty");
  CHECK(problem(temp / "none", 127) == "cannot run " + (temp / "none") + ": no such file");
  CHECK(problem(temp.path().string(), 126) ==
        "cannot run " + temp.path().string() + ": it is a directory");
  temp.Write("plain", "text");
  CHECK(problem(temp / "plain", 126) ==
        "cannot run " + (temp / "plain") + ": it is not executable by you (permission denied)");
  const std::string script = Executable(temp, "script", "#!/no/such/interpreter -x\n");
  CHECK(problem(script, 126) ==
        "cannot run " + script +
            ": its first line asks for /no/such/interpreter, which does not exist");
  const std::string foreign = Executable(temp, "foreign", Elf(ELFCLASS64, "/lib/no-such-ld.so.1"));
  CHECK(problem(foreign, 126) ==
        "cannot run " + foreign + ": its loader /lib/no-such-ld.so.1 does not exist");
}

TEST_CASE("the executable behind scripts and links is the one that will run", "[cli][program]") {
  const TempDirectory temp;
  const std::string shell = fs::canonical("/bin/sh").string();
  fs::create_symlink("/bin/sh", temp / "link");
  CHECK(FindProgram(temp / "link").executable == shell);
  CHECK(FindProgram(Executable(temp, "spaced", "#! \t/bin/sh -e\necho\n")).executable == shell);
  const std::string inner = Executable(temp, "inner", "#!/bin/sh\n");
  CHECK(FindProgram(Executable(temp, "outer", "#!" + inner + "\n")).executable == shell);
  CHECK(FindProgram(Executable(temp, "bare", "echo no first line\n")).executable == shell);
  CHECK(FindProgram(Executable(temp, "empty", "")).executable == shell);
}

TEST_CASE("a program goes by the name it is started by, a script by its interpreter",
          "[cli][program]") {
  const TempDirectory temp;
  fs::create_symlink("/bin/sh", temp / "server");
  CHECK(FindProgram(temp / "server").name_path == temp / "server");
  CHECK(FindProgram(Executable(temp, "script", "#!/bin/sh\n")).name_path ==
        fs::canonical("/bin/sh").string());
  CHECK(FindProgram(Executable(temp, "bare", "echo\n")).name_path == "/bin/sh");
}

TEST_CASE("programs that a preload cannot reach are recognised", "[cli][program]") {
  const TempDirectory temp;
  CHECK(FindProgram("/bin/sh").reach == Reach::kYes);
  const Program fixed = FindProgram(Executable(temp, "static", Elf(ELFCLASS64, "")));
  CHECK(fixed.reach == Reach::kNo);
  CHECK(fixed.reason == "it is statically linked, so nothing can be preloaded");
  CHECK(FindProgram(Executable(temp, "narrow", Elf(ELFCLASS32, ""))).reason ==
        "it is a 32-bit program and heapgauge is 64-bit");
  const std::string musl = Executable(temp, "ld-musl-x86_64.so.1", "");
  const Program foreign = FindProgram(Executable(temp, "musl", Elf(ELFCLASS64, musl)));
  CHECK(foreign.reach == Reach::kHarmful);

  const std::string raised =
      Executable(temp, "raised", Elf(ELFCLASS64, "/lib64/ld-linux-x86-64.so.2"));
  if (geteuid() == 0 && chown(raised.c_str(), 65534, 65534) == 0 &&
      chmod(raised.c_str(), 04755) == 0) {
    CHECK(FindProgram(raised).reason ==
          "it is set-user-id, and the loader then ignores LD_PRELOAD");
  }
}

}  // namespace
}  // namespace heapgauge::cli
