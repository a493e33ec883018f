#include "graph/own_reader.h"

#include <sys/mman.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstring>
#include <vector>

namespace heapgauge {
namespace {

constexpr size_t kPage = 4096;

class Pages {
 public:
  explicit Pages(size_t count)
      : bytes_(count * kPage),
        memory_(static_cast<char*>(mmap(nullptr, bytes_, PROT_READ | PROT_WRITE,
                                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0))) {
    madvise(memory_, bytes_, MADV_NOHUGEPAGE);
  }
  ~Pages() { munmap(memory_, bytes_); }
  char* operator[](size_t page) { return memory_ + page * kPage; }
  uintptr_t at(size_t page) { return reinterpret_cast<uintptr_t>((*this)[page]); }
  size_t Resident() {
    std::vector<unsigned char> there(bytes_ / kPage);
    mincore(memory_, bytes_, there.data());
    return static_cast<size_t>(
        std::count_if(there.begin(), there.end(), [](unsigned char page) { return page & 1; }));
  }

 private:
  size_t bytes_;
  char* memory_;
};

TEST_CASE("reading touches no page that is not there", "[graph]") {
  Pages pages(1000);
  pages[3][5] = 'x';
  pages[700][0] = 'y';
  OwnReader reader;
  REQUIRE(reader.Works());
  reader.Begin();
  std::vector<char> room(1000 * kPage, 'z');
  CHECK(reader.NextResident(pages.at(0), pages.at(1000)) == pages.at(3));
  CHECK(reader.NextResident(pages.at(3) + 9, pages.at(1000)) == pages.at(3) + 9);
  CHECK(reader.NextResident(pages.at(4), pages.at(1000)) == pages.at(700));
  CHECK(reader.NextResident(pages.at(701), pages.at(1000)) == pages.at(1000));
  CHECK(reader.Read(pages.at(0), room.size(), room.data()));
  CHECK(room[3 * kPage + 5] == 'x');
  CHECK(room[700 * kPage] == 'y');
  CHECK(std::count(room.begin(), room.end(), '\0') == static_cast<std::ptrdiff_t>(room.size()) - 2);
  CHECK_FALSE(reader.Read(pages.at(800), kPage, room.data()));
  CHECK(pages.Resident() == 2);
  reader.End();
}

TEST_CASE("memory that can't be read reads as zero and does no harm", "[graph]") {
  Pages pages(8);
  for (size_t i = 0; i < 8; ++i) std::memset(pages[i], 'a', kPage);
  OwnReader reader;
  reader.Begin();
  std::vector<char> room(8 * kPage, 'z');
  CHECK(reader.Read(pages.at(0), room.size(), room.data()));
  mprotect(pages[2], kPage, PROT_NONE);
  munmap(pages[5], kPage);
  // It still takes them for resident.
  CHECK(reader.Read(pages.at(0), room.size(), room.data()));
  CHECK(room[2 * kPage] == '\0');
  CHECK(room[3 * kPage] == 'a');
  CHECK(room[5 * kPage] == '\0');
  CHECK(room[7 * kPage] == 'a');
  const OwnReader::Piece pieces[] = {
      {pages.at(0), 16}, {pages.at(2) + 8, 16}, {pages.at(6) + 100, 16}};
  reader.Gather(pieces, 3, room.data());
  CHECK(std::string(room.data(), 16) == std::string(16, 'a'));
  CHECK(room[16] == '\0');
  CHECK(std::string(room.data() + 32, 16) == std::string(16, 'a'));
  reader.End();
}

}  // namespace
}  // namespace heapgauge
