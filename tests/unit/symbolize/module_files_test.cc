#include "symbolize/module_files.h"

#include <fcntl.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>

#include "symbolize/main_executable.h"
#include "symbolize/module_map.h"
#include "symbolize/symbol_names.h"
#include "unit/symbolize/fixtures.h"

namespace heapgauge::symbolize {
namespace {

using symbolize_test::DebugFileFor;
using symbolize_test::FixturePath;
using symbolize_test::Probe;
using symbolize_test::TempDir;

std::string NameIn(const std::string& path, const std::string& build_id, uint64_t offset,
                   const std::string& debug_root) {
  const std::vector<uint64_t> offsets = {offset};
  return SymbolNames(path, build_id, offsets, debug_root)[0];
}

}  // namespace

TEST_CASE("a file with another build-id is not believed", "[symbolize][module_files]") {
  const TempDir directory;
  const ModuleAddress address = Probe("inlined").at("main");
  CHECK(FindBinary(address.module, address.build_id));
  // An upgrade in place: the same name, another program.
  const std::string upgraded = directory / "program";
  std::filesystem::copy_file(FixturePath("dwarf4"), upgraded);
  CHECK_FALSE(FindBinary(upgraded, address.build_id));
  CHECK(NameIn(upgraded, address.build_id, address.offset, directory.path()) == "");
  // With nothing to compare the file is all there is.
  CHECK(FindBinary(upgraded, ""));
}

TEST_CASE("a debug file is found by build-id, even without the binary",
          "[symbolize][module_files]") {
  const TempDir root;
  const ModuleAddress hidden = Probe("inlined").at("hidden");
  const std::string expected = "_ZN4shop12_GLOBAL__N_16HiddenEv";
  const std::string stripped = root / "stripped";
  std::filesystem::copy_file(FixturePath("split_off"), stripped);
  CHECK(NameIn(stripped, hidden.build_id, hidden.offset, root.path()) == "");

  std::filesystem::copy_file(FixturePath("split_off.debug"),
                             DebugFileFor(root.path(), hidden.build_id));
  CHECK(NameIn(stripped, hidden.build_id, hidden.offset, root.path()) == expected);
  CHECK(NameIn(root / "gone", hidden.build_id, hidden.offset, root.path()) == expected);
}

TEST_CASE("a debug file of another build under the right name is not believed",
          "[symbolize][module_files]") {
  const TempDir root;
  const ModuleAddress hidden = Probe("inlined").at("hidden");
  std::filesystem::copy_file(FixturePath("dwarf4"), DebugFileFor(root.path(), hidden.build_id));
  CHECK(NameIn(root / "gone", hidden.build_id, hidden.offset, root.path()) == "");
}

TEST_CASE("a debug link is followed beside the file, in .debug and under the root",
          "[symbolize][module_files]") {
  const TempDir root;
  const TempDir elsewhere;
  const ModuleAddress hidden = Probe("inlined").at("hidden");
  // Without a build-id the checksum decides.
  const std::string fixture = GENERATE("split_off", "no_build_id");
  const std::string build_id = fixture == "split_off" ? hidden.build_id : "";
  const std::string place = GENERATE("beside", ".debug", "root");
  INFO(fixture << ' ' << place);
  const std::string binary = elsewhere / "program";
  std::filesystem::copy_file(FixturePath(fixture), binary);
  std::string debug = elsewhere.path();
  if (place == ".debug") debug += "/.debug";
  if (place == "root") debug = root.path() + elsewhere.path();
  std::filesystem::create_directories(debug);
  debug += "/split_off.debug";
  auto content = symbolize_test::ReadBytes(FixturePath("split_off.debug"));
  symbolize_test::WriteBytes(debug, content);
  CHECK(NameIn(binary, build_id, hidden.offset, root.path()) == "_ZN4shop12_GLOBAL__N_16HiddenEv");
  if (!build_id.empty()) return;
  content.push_back(0);
  symbolize_test::WriteBytes(debug, content);
  CHECK(NameIn(binary, "", hidden.offset, root.path()) == "");
}

TEST_CASE("the checksum is the one objcopy writes", "[symbolize][elf_image]") {
  const auto binary = elf::ElfImage::OpenFile(FixturePath("split_off").c_str());
  const auto debug = elf::ElfImage::OpenFile(FixturePath("split_off.debug").c_str());
  REQUIRE(binary);
  REQUIRE(debug);
  const auto link = binary->ReadDebugLink();
  REQUIRE(link);
  CHECK(link->name == "split_off.debug");
  CHECK(debug->Crc() == link->crc);
}

TEST_CASE("the running executable is found even after it was replaced",
          "[symbolize][module_files]") {
  // As the module map would give it, with a name that no longer leads there.
  const auto own = elf::ElfImage::OpenFile("/proc/self/exe");
  REQUIRE(own);
  REQUIRE_FALSE(own->build_id().empty());
  const auto found = FindBinary(MainExecutablePath(), own->build_id());
  REQUIRE(found);
  CHECK(found->image.build_id() == own->build_id());
  CHECK_FALSE(FindBinary(MainExecutablePath(), "00112233"));
}

TEST_CASE("the vdso is read from memory", "[symbolize][module_files]") {
  if (getauxval(AT_SYSINFO_EHDR) == 0) return;  // a kernel, or a valgrind, without one
  const ModuleMap map;
  for (const ModuleMap::Module& module : map.modules()) {
    if (module.path != kVdsoPath) continue;
    CHECK_FALSE(module.build_id.empty());
    const auto vdso = FindBinary(module.path, module.build_id);
    REQUIRE(vdso);
    CHECK(vdso->image.FindSection(SHT_DYNSYM) != nullptr);
    CHECK_FALSE(FindBinary(module.path, "0011"));
    return;
  }
  FAIL("no vdso in the module map");
}

TEST_CASE("opening a file takes no low descriptor and never blocks", "[symbolize][descriptor]") {
  const TempDir directory;
  const std::string pipe = directory / "pipe";
  REQUIRE(mkfifo(pipe.c_str(), 0600) == 0);
  CHECK_FALSE(elf::ElfImage::OpenFile(pipe.c_str()));
  const Descriptor file = Descriptor::OpenToRead(FixturePath("inlined").c_str());
  REQUIRE(file.valid());
  CHECK(file.get() > 2);
  CHECK((fcntl(file.get(), F_GETFD) & FD_CLOEXEC) != 0);
}

}  // namespace heapgauge::symbolize
