#include "helper/preload_list.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <string>

#include "unit/report/temp_directory.h"

namespace heapgauge {
namespace {

TEST_CASE("a list is split as the loader splits it", "[helper][preload]") {
  CHECK(WithoutLibrary("", "").empty());
  CHECK(WithoutLibrary(" : ::", "").empty());
  CHECK(WithoutLibrary("a.so", "") == "a.so");
  CHECK(WithoutLibrary(" a.so b.so:c.so ::d.so: ", "") == "a.so:b.so:c.so:d.so");
}

TEST_CASE("our library is left out by whichever of its names", "[helper][preload]") {
  for (const char* ours : {"libheapgauge.so", "/usr/lib/libheapgauge.so", "x/libheapgauge.so.0",
                           "/opt/a/$LIB/libheapgauge.so.0.1.0", "./libheapgauge.so"}) {
    CAPTURE(ours);
    CHECK(WithoutLibrary(ours, "").empty());
    CHECK(WithoutLibrary("a.so:" + std::string(ours) + " b.so", "") == "a.so:b.so");
    CHECK(WithoutLibrary(std::string(ours) + ":" + ours + ":b.so", "") == "b.so");
  }
}

TEST_CASE("a name that only begins like ours stays", "[helper][preload]") {
  for (const char* other : {"libheapgauge.sound", "/usr/libheapgauge.so/a.so", "libheapgauge-2.so",
                            "mylibheapgauge.so", "/usr/lib/"}) {
    CHECK(WithoutLibrary(other, "") == other);
  }
}

TEST_CASE("another name of the library's own file is left out, too", "[helper][preload]") {
  const TempDirectory temp;
  const std::string ours = temp.Write("libheapgauge.so", "");
  const std::string other = temp.Write("other.so", "");
  std::filesystem::create_symlink(ours, temp / "alias.so");
  std::filesystem::create_hard_link(ours, temp / "twin.so");
  CHECK(WithoutLibrary((temp / "alias.so") + ":" + other + ":" + (temp / "twin.so"), ours) ==
        other);
  CHECK(WithoutLibrary(temp / "alias.so", "") == temp / "alias.so");
}

}  // namespace
}  // namespace heapgauge
