#include "base/readable.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cerrno>
#include <cstring>

namespace heapgauge {
namespace {

constexpr size_t kPage = kReadablePage;

// Pages of a file that ends after the first of them, and one page that nobody may read.
class HalfThere final {
 public:
  HalfThere() {
    char name[] = "/tmp/heapgauge-readable-XXXXXX";
    const int file = mkstemp(name);
    REQUIRE(file >= 0);
    unlink(name);
    REQUIRE(ftruncate(file, 2 * kPage) == 0);
    void* const at = mmap(nullptr, 3 * kPage, PROT_READ, MAP_PRIVATE, file, 0);
    REQUIRE(at != MAP_FAILED);
    bytes_ = static_cast<const char*>(at);
    REQUIRE(mprotect(static_cast<char*>(at) + 2 * kPage, kPage, PROT_NONE) == 0);
    REQUIRE(bytes_[kPage] == 0);  // it was there
    REQUIRE(ftruncate(file, kPage) == 0);
    close(file);
  }
  ~HalfThere() { munmap(const_cast<char*>(bytes_), 3 * kPage); }
  HalfThere(const HalfThere&) = delete;
  HalfThere& operator=(const HalfThere&) = delete;
  const char* at(size_t offset) const { return bytes_ + offset; }

 private:
  const char* bytes_;
};

}  // namespace

TEST_CASE("pages behind a file's end, without rights and unmapped are not readable",
          "[base][readable]") {
  const HalfThere half;
  errno = 77;
  CHECK(IsReadable(half.at(0), 1));
  CHECK(IsReadable(half.at(0), kPage));
  CHECK_FALSE(IsReadable(half.at(0), kPage + 1));
  CHECK_FALSE(IsReadable(half.at(kPage - 1), 2));
  CHECK_FALSE(IsReadable(half.at(kPage), 1));
  CHECK_FALSE(IsReadable(half.at(2 * kPage + 5), 1));
  CHECK_FALSE(IsReadable(uintptr_t{0}));
  CHECK_FALSE(IsReadable(UINTPTR_MAX));
  CHECK_FALSE(IsReadable(reinterpret_cast<const void*>(UINTPTR_MAX - 3), 8));
  CHECK(IsReadable(half.at(kPage), 0));
  CHECK(errno == 77);
}

TEST_CASE("a copy is whole or is not made", "[base][readable]") {
  const HalfThere half;
  char to[16];
  std::memset(to, 'x', sizeof to);
  CHECK_FALSE(CopyReadable(to, half.at(kPage - 8), sizeof to));
  CHECK(to[0] == 'x');
  CHECK(CopyReadable(to, half.at(kPage - 16), sizeof to));
  CHECK(to[15] == 0);
}

TEST_CASE("pages are asked about once, and only what is there is remembered", "[base][readable]") {
  const HalfThere half;
  ReadablePages pages;
  for (int round = 0; round < 2; ++round) {
    CHECK(pages.Has(half.at(0), kPage));
    CHECK_FALSE(pages.Has(half.at(0), kPage + 1));
    CHECK_FALSE(pages.Has(half.at(kPage), 8));
    CHECK(pages.Has(half.at(kPage), 0));
    CHECK_FALSE(pages.Has(nullptr, 1));
    CHECK_FALSE(pages.Has(half.at(0), SIZE_MAX));
  }
}

}  // namespace heapgauge
