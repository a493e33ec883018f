// Lines of /proc/PID/maps: real ones, and ones that somebody may have made up.
#include "elf/maps.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <random>
#include <string>
#include <vector>

namespace heapgauge {
namespace {

int FileOf(const std::string& text) {
  const int file = memfd_create("maps", MFD_CLOEXEC);
  REQUIRE(file >= 0);
  REQUIRE(write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  REQUIRE(lseek(file, 0, SEEK_SET) == 0);
  return file;
}

struct Line {
  uint64_t begin;
  uint64_t end;
  std::string path;
  bool operator==(const Line&) const = default;
};
std::ostream& operator<<(std::ostream& out, const Line& line) {
  return out << std::hex << line.begin << '-' << line.end << ' ' << line.path;
}

std::vector<Line> LinesOf(const std::string& text, size_t room_bytes) {
  std::vector<char> room(room_bytes);
  MapsReader maps(MapsReader::File{FileOf(text)}, room);
  std::vector<Line> lines;
  for (MapsLine line; maps.Next(&line);) {
    lines.push_back({line.range.begin, line.range.end, std::string(line.path)});
  }
  return lines;
}

constexpr char kLibrary[] =
    "7f0a1c000000-7f0a1c021000 r-xp 0002a000 fd:01 1835078                    /usr/lib/libm.so.6";

}  // namespace

TEST_CASE("a line of maps is read as proc(5) has it", "[elf][maps]") {
  MapsLine line;
  REQUIRE(ParseMapsLine(kLibrary, &line));
  CHECK(line.range.begin == 0x7f0a1c000000);
  CHECK(line.range.end == 0x7f0a1c021000);
  CHECK(line.readable);
  CHECK_FALSE(line.writable);
  CHECK(line.executable);
  CHECK(line.offset == 0x2a000);
  CHECK(line.path == "/usr/lib/libm.so.6");

  REQUIRE(ParseMapsLine("1000-2000 -w-s 00000000 00:00 0 ", &line));
  CHECK_FALSE(line.readable);
  CHECK(line.writable);
  CHECK_FALSE(line.executable);
  CHECK(line.path.empty());

  REQUIRE(ParseMapsLine("1000-2000 rw-p 00000000 00:00 0", &line));
  CHECK(line.path.empty());
  REQUIRE(ParseMapsLine("1000-2000 r--p 0 00:1a 7    /tmp/a name with  spaces (deleted)", &line));
  CHECK(line.path == "/tmp/a name with  spaces (deleted)");
  REQUIRE(ParseMapsLine("ffffffffff600000-ffffffffff601000 --xp 0 00:00 0 [vsyscall]", &line));
  CHECK(line.range.begin == 0xffffffffff600000);
  CHECK(line.path == "[vsyscall]");
}

TEST_CASE("a line of maps that is none is refused", "[elf][maps][damage]") {
  MapsLine line;
  for (const char* const text :
       {"", "-", "1000", "1000-", "1000-2000", "1000-2000 ", "1000-2000 r", "1000-2000 r-x",
        "1000-2000 r-xp", "1000-2000 r-xp ", "1000-2000 r-xp x", "2000-1000 r-xp 0 00:00 0",
        "1000-1000 r-xp 0 00:00 0", "g000-2000 r-xp 0 00:00 0", "1000 2000 r-xp 0 00:00 0",
        "10000000000000000-20000000000000000 r-xp 0 00:00 0", "1000-2000  r-xp 0 00:00 0",
        "Size:                  4 kB", "VmFlags: rd ex mr mw me sd"}) {
    INFO(text);
    CHECK_FALSE(ParseMapsLine(text, &line));
  }
}

TEST_CASE("a line of maps cut anywhere is survived", "[elf][maps][damage]") {
  const std::string whole = kLibrary;
  for (size_t size = 0; size <= whole.size(); ++size) {
    const std::vector<char> exact(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(size));
    MapsLine line;
    if (!ParseMapsLine({exact.data(), exact.size()}, &line)) continue;
    CHECK(line.range.begin == 0x7f0a1c000000);
    CHECK(whole.find(line.path) != std::string::npos);
  }
}

TEST_CASE("lines of maps are the same through a room of any size", "[elf][maps]") {
  std::string text;
  std::vector<Line> all;
  std::mt19937 random(3);
  for (uint64_t i = 1; i < 200; ++i) {
    const std::string path = i % 3 == 0 ? "" : "/" + std::string(random() % 90, 'n');
    char head[80];
    snprintf(head, sizeof head, "%lx-%lx r--p 00000000 00:1f %lu ", i << 12, (i + 1) << 12, i);
    text += head + path + "\n";
    all.push_back({i << 12, (i + 1) << 12, path});
  }
  for (const size_t room : {size_t{140}, size_t{141}, size_t{256}, size_t{1000}, size_t{100000}}) {
    CHECK(LinesOf(text, room) == all);
  }
}

TEST_CASE("a line of maps that is longer than the room is passed over", "[elf][maps][damage]") {
  const std::string first = "1000-2000 r--p 0 00:00 0 /first\n";
  const std::string last = "5000-6000 r--p 0 00:00 0 /last\n";
  // Within it stands what could be taken for a line.
  const std::string longer =
      "3000-4000 r--p 0 00:00 0 /" + std::string(500, 'x') + "7000-8000 r--p 0 00:00 0 /no\n";
  const std::vector<Line> both = {{0x1000, 0x2000, "/first"}, {0x5000, 0x6000, "/last"}};
  for (size_t room = 40; room < 500; ++room) {
    INFO(room);
    CHECK(LinesOf(first + longer + last, room) == both);
  }
  CHECK(LinesOf(first + longer + last, 1000).size() == 3);
}

TEST_CASE("what is not written to its end is no line of maps", "[elf][maps][damage]") {
  CHECK(LinesOf("1000-2000 r--p 0 00:00 0 /first\n3000-4000 r--p 0 00:00 0 /fir", 200).size() == 1);
  CHECK(LinesOf("", 200).empty());
  CHECK(LinesOf("\n\n\n", 200).empty());
  CHECK(LinesOf("1000-2000 r--p 0 00:00 0 /first\n", 0).empty());
}

TEST_CASE("this process's mappings are found, and errno stays", "[elf][maps]") {
  static const int datum = 7;
  std::vector<char> room(MapsReader::kRoomForAll);
  const uintptr_t code = reinterpret_cast<uintptr_t>(&ParseMapsLine);
  bool data_seen = false;
  bool code_seen = false;
  errno = 4711;
  for (const pid_t pid : {MapsReader::kSelf, getpid()}) {
    data_seen = code_seen = false;
    MapsReader maps(pid, room);
    REQUIRE(maps.opened());
    for (MapsLine line; maps.Next(&line);) {
      if (line.range.Holds(reinterpret_cast<uintptr_t>(&datum))) data_seen = line.readable;
      if (line.range.Holds(code)) code_seen = line.executable && line.path.ends_with("unit_elf");
    }
    CHECK(maps.bytes_read() > 0);
    CHECK(data_seen);
    CHECK(code_seen);
  }
  CHECK(errno == 4711);
  MapsReader none(999999999, room);
  MapsLine line;
  CHECK_FALSE(none.opened());
  CHECK_FALSE(none.Next(&line));
}

}  // namespace heapgauge
