#include "cli/preload.h"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "unit/report/temp_directory.h"

namespace heapgauge::cli {
namespace {

namespace fs = std::filesystem;

TEST_CASE("the library is found beside the command, as installed and as built", "[cli][preload]") {
  const TempDirectory temp;
  const std::string real = fs::canonical(temp.path()).string();
  fs::create_directories(temp / "bin");
  const auto none = FindLibraryFrom(temp / "bin");
  REQUIRE_FALSE(none.ok());
  CHECK(std::string(none.status().message())
            .starts_with("libheapgauge.so is missing: looked in " + (temp / "bin")));
  for (const char* place : {"bin", "lib64", "lib"}) {
    fs::create_directories(temp / place);
    temp.Write(std::string(place) + "/libheapgauge.so", "");
    CHECK(FindLibraryFrom(temp / "bin").value() == real + "/" + place + "/libheapgauge.so");
  }
  // The unversioned name, not the file it points to.
  fs::rename(temp / "lib/libheapgauge.so", temp / "lib/libheapgauge.so.0.1.0");
  fs::create_symlink("libheapgauge.so.0.1.0", temp / "lib/libheapgauge.so");
  CHECK(FindLibraryFrom(temp / "bin").value() == real + "/lib/libheapgauge.so");
}

TEST_CASE("a path the loader would split goes through a link", "[cli][preload]") {
  const TempDirectory temp;
  setenv("XDG_RUNTIME_DIR", temp.path().c_str(), 1);
  CHECK(PreloadablePath("/usr/lib/libheapgauge.so").value() == "/usr/lib/libheapgauge.so");
  fs::create_directories(temp / "a b:c/lib");
  temp.Write("a b:c/lib/libheapgauge.so", "x");
  const std::string path = PreloadablePath(temp / "a b:c/lib/libheapgauge.so").value();
  CHECK(path.find_first_of(" :") == std::string::npos);
  CHECK(path.starts_with((temp / "heapgauge/lib-")));
  CHECK(fs::equivalent(path, temp / "a b:c/lib/libheapgauge.so"));
  CHECK(PreloadablePath(temp / "a b:c/lib/libheapgauge.so").value() ==
        path);  // the same link again

  // Somebody else's link of that name is not trusted.
  const std::string link = path.substr(0, path.rfind('/'));
  fs::remove(link);
  fs::create_symlink("/tmp", link);
  CHECK(fs::equivalent(PreloadablePath(temp / "a b:c/lib/libheapgauge.so").value(),
                       temp / "a b:c/lib/libheapgauge.so"));

  fs::permissions(temp / "heapgauge", fs::perms::all);
  const auto refused = PreloadablePath(temp / "a b:c/lib/libheapgauge.so");
  REQUIRE_FALSE(refused.ok());
  CHECK(std::string(refused.status().message()).starts_with("the loader cannot preload "));
  unsetenv("XDG_RUNTIME_DIR");
}

TEST_CASE("our library comes first and the user's stay, each once", "[cli][preload]") {
  const TempDirectory temp;
  const std::string ours = temp.Write("libheapgauge.so", "");
  fs::create_symlink(ours, temp / "alias.so");
  CHECK(PreloadValue(ours, "") == ours);
  CHECK(PreloadValue(ours, "libjemalloc.so.2") == ours + ":libjemalloc.so.2");
  CHECK(PreloadValue(ours, "a.so b.so:c.so") == ours + ":a.so:b.so:c.so");
  CHECK(PreloadValue(ours, ": a.so ::" + ours + " " + (temp / "alias.so")) == ours + ":a.so");
}

}  // namespace
}  // namespace heapgauge::cli
