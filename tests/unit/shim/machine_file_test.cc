// The file that chooses a machine's programs: what it says, and what nobody should believe.
#include "shim/machine_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

namespace heapgauge {
namespace {

constexpr ProgramNames kNginx{"/usr/sbin/nginx", "/usr/sbin/nginx"};

struct Reading {
  std::unique_ptr<MachineFile> file = std::make_unique<MachineFile>();
  MachineChoice choice = MachineChoice::kNoFile;
};

class Place final {
 public:
  Place() { REQUIRE(mkdtemp(path_) != nullptr); }
  ~Place() { std::filesystem::remove_all(path_); }
  Reading Read(const std::string& text, const ProgramNames& names = kNginx, mode_t mode = 0644) {
    const std::string path = std::string(path_) + "/file";
    std::ofstream(path, std::ios::binary) << text;
    REQUIRE(chmod(path.c_str(), mode) == 0);
    return ReadAt(path, names);
  }
  static Reading ReadAt(const std::string& path, const ProgramNames& names = kNginx) {
    Reading reading;
    reading.choice = reading.file->Read(path.c_str(), getuid(), names);
    return reading;
  }
  std::string path() const { return path_; }

 private:
  char path_[32] = "/tmp/machine_file.XXXXXX";
};

TEST_CASE("programs are chosen by path and by name", "[shim][machine_file]") {
  Place place;
  const auto chosen = [&](const char* text, const ProgramNames& names = kNginx) {
    const Reading reading = place.Read(text, names);
    CHECK(*reading.file->problem() == '\0');
    return reading.choice == MachineChoice::kTracked;
  };
  CHECK(chosen("/usr/sbin/nginx\n"));
  CHECK(chosen("nginx"));
  CHECK(chosen("# all of them\r\n\r\n  ngin?\t\r\n"));
  CHECK(chosen("other\n/usr/*x\n"));
  CHECK_FALSE(chosen(""));
  CHECK_FALSE(chosen("#nginx\n"));
  CHECK_FALSE(chosen("/usr/bin/nginx\nsbin/nginx\nNginx\n"));
  CHECK_FALSE(chosen("nginx\n!/usr/sbin/*\n"));
  CHECK_FALSE(chosen("!/usr/sbin/*\nnginx\n"));
  CHECK(chosen("*\n!*/postgres\n"));
  // A script is known by its own name, too.
  CHECK(chosen("report.py", {"/usr/bin/python3.11", "./report.py"}));
  CHECK(chosen("python3*", {"/usr/bin/python3.11", "./report.py"}));
  CHECK(chosen("nginx", {nullptr, "nginx"}));
  CHECK_FALSE(chosen("*", {nullptr, nullptr}));
  // Globs that are no globs.
  CHECK_FALSE(chosen("[\n[a-\n[!\n\\\n!\n!!\n***[***\n"));
}

TEST_CASE("settings of the chosen programs are kept as they stand", "[shim][machine_file]") {
  Place place;
  const Reading reading =
      place.Read("HEAPGAUGE_OUTPUT=/var/log/heapgauge/%e.%p \nnginx\nHEAPGAUGE_LOG=error");
  REQUIRE(reading.choice == MachineChoice::kTracked);
  const char* const* settings = reading.file->settings();
  REQUIRE(settings[0] != nullptr);
  CHECK(std::string(settings[0]) == "HEAPGAUGE_OUTPUT=/var/log/heapgauge/%e.%p");
  CHECK(std::string(settings[1]) == "HEAPGAUGE_LOG=error");
  CHECK(settings[2] == nullptr);
}

TEST_CASE("no file leaves everything as it is", "[shim][machine_file]") {
  Place place;
  CHECK(Place::ReadAt(place.path() + "/none").choice == MachineChoice::kNoFile);
  CHECK(Place::ReadAt(place.path() + "/none/below").choice == MachineChoice::kNoFile);
}

TEST_CASE("a file that can't be trusted chooses nobody, and says why", "[shim][machine_file]") {
  Place place;
  const auto refused = [](const Reading& reading, const char* why) {
    INFO(reading.file->problem());
    CHECK(reading.choice == MachineChoice::kNotTracked);
    CHECK(std::strstr(reading.file->problem(), why) != nullptr);
  };
  refused(place.Read("nginx\n" + std::string(70'000, '\n')), "64 KiB");
  refused(place.Read("nginx\n" + std::string(1024, 'x') + "\nnginx\n"), "line longer");
  CHECK(place.Read("nginx\n" + std::string(1023, 'x') + "\n").choice == MachineChoice::kTracked);
  refused(place.Read(std::string("nginx\nab\0c\n", 11)), "no text");
  refused(place.Read("nginx\n", kNginx, 0664), "root's");
  refused(place.Read("nginx\n", kNginx, 0646), "root's");
  std::string many = "nginx\n";
  for (int i = 0; i < 33; ++i) many += "HEAPGAUGE_LOG=error\n";
  refused(place.Read(many), "settings");
  refused(place.Read("nginx\n" + std::string("HEAPGAUGE_A=") + std::string(1000, 'a') + "\n" +
                     "HEAPGAUGE_A=" + std::string(1000, 'a') + "\nHEAPGAUGE_A=" +
                     std::string(1000, 'a') + "\nHEAPGAUGE_A=" + std::string(1000, 'a') +
                     "\nHEAPGAUGE_A=" + std::string(1000, 'a') + "\n"),
          "settings");
  refused(Place::ReadAt(place.path()), "regular");
  refused(Place::ReadAt("/dev/null"), "regular");
  const std::string fifo = place.path() + "/fifo";
  REQUIRE(mkfifo(fifo.c_str(), 0644) == 0);
  refused(Place::ReadAt(fifo), "regular");
  const std::string loop = place.path() + "/loop";
  REQUIRE(symlink(loop.c_str(), loop.c_str()) == 0);
  refused(Place::ReadAt(loop), "opened");
  MachineFile others;
  const std::string path = place.path() + "/file";
  place.Read("nginx\n");
  CHECK(others.Read(path.c_str(), getuid() + 1, kNginx) == MachineChoice::kNotTracked);
}

}  // namespace
}  // namespace heapgauge
