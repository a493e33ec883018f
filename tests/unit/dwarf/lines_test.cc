// The whole way to lines: a real helper on programs built in many ways.
#include <dlfcn.h>

#include <catch2/catch.hpp>
#include <filesystem>

#include "unit/symbolize/fixtures.h"

namespace heapgauge {
namespace {

using symbolize_test::FixturePath;
using symbolize_test::HasFixture;
using symbolize_test::MarkedLine;
using symbolize_test::Probe;
using symbolize_test::SourcePath;

std::vector<Frame> Lines(const ModuleAddress& address, const std::string& debug_root = "/nowhere") {
  Symbolizer symbolizer({.mode = SymbolizeMode::kLines,
                         .helper = HELPER,
                         .debug_root = debug_root,
                         .helper_limit = std::chrono::minutes(1)});  // a machine under load
  auto frames = symbolizer.Symbolize(std::span(&address, 1));
  CHECK(symbolizer.last_problem() == "");
  REQUIRE(frames.size() == 1);
  REQUIRE_FALSE(frames[0].empty());
  for (const Frame& frame : frames[0]) {
    CHECK(frame.module == address.module);
    CHECK(frame.module_offset == address.offset);
    CHECK(frame.inlined == (&frame != &frames[0].back()));
  }
  return frames[0];
}

void CheckFrame(const Frame& frame, const std::string& function, const std::string& mark,
                const std::string& source = "inlined.cc") {
  CHECK(frame.function == function);
  CHECK(frame.file == SourcePath(source));
  CHECK(frame.line == MarkedLine(source, mark));
}

}  // namespace

TEST_CASE("functions, files, lines and inlined calls are found however it was built",
          "[dwarf][lines]") {
  const std::string fixture =
      GENERATE("inlined", "dwarf4", "no_pie", "split", "compressed", "lto", "clang");
  if (!HasFixture(fixture)) return;  // clang is optional
  INFO(fixture);
  const auto addresses = Probe(fixture);

  const auto chain = Lines(addresses.at("inlined"));
  REQUIRE(chain.size() == 3);
  CheckFrame(chain[0], "shop::Cart::Add(int)", "innermost");
  CheckFrame(chain[1], "shop::Fill(shop::Cart&)", "middle");
  CheckFrame(chain[2], "shop::Cart::Checkout()", "outermost");

  const auto twice = Lines(addresses.at("template"));
  CheckFrame(twice.back(), "int shop::Twice<int>(int)", "template");
  CheckFrame(Lines(addresses.at("plain")).back(), "PlainName", "plain");
  CheckFrame(Lines(addresses.at("main")).back(), "main", "main");
  const auto lambda = Lines(addresses.at("lambda"));
  CHECK(lambda.front().line == MarkedLine("inlined.cc", "lambda"));
  CHECK(lambda.front().function.starts_with("main::"));
  CHECK(lambda.front().function.find("operator()") != std::string::npos);
}

TEST_CASE("functions in anonymous namespaces have their full names", "[dwarf][lines]") {
  const std::string fixture = GENERATE("inlined", "dwarf4", "no_pie", "split", "clang");
  if (!HasFixture(fixture)) return;
  INFO(fixture);
  const auto addresses = Probe(fixture);
  CheckFrame(Lines(addresses.at("hidden")).back(), "shop::(anonymous namespace)::Hidden()",
             "hidden");
  const auto chain = Lines(addresses.at("hidden_inlined"));
  REQUIRE(chain.size() == 2);
  CHECK(chain[0].function.starts_with("shop::(anonymous namespace)::Worker::Run"));
  CHECK(chain[0].line == MarkedLine("inlined.cc", "hidden_inlined"));
  CheckFrame(chain[1], "shop::(anonymous namespace)::RunWorker()", "hidden_caller");
}

TEST_CASE("a shared library's lines are found, exported function or not", "[dwarf][lines]") {
  const auto addresses = Probe("shared_user");
  CHECK(addresses.at("library_entry").module == FixturePath("libfixture_shared.so"));
  CheckFrame(Lines(addresses.at("library_entry")).back(), "LibraryEntry", "library_entry",
             "shared.c");
  CheckFrame(Lines(addresses.at("library_static")).back(), "InLibrary", "library_static",
             "shared.c");
}

TEST_CASE("lines come from a separate debug file, by build-id or by link", "[dwarf][lines]") {
  const symbolize_test::TempDir root;
  const symbolize_test::TempDir elsewhere;
  ModuleAddress address = Probe("inlined").at("inlined");
  const std::string place = GENERATE("build-id", "link", "gone", "no build-id");
  INFO(place);
  address.module = elsewhere / "program";
  const char* const binary = place == "no build-id" ? "no_build_id" : "split_off";
  if (place == "no build-id") address.build_id.clear();
  std::filesystem::copy_file(FixturePath(binary), address.module);
  CHECK(Lines(address, root.path())[0].function == "");

  std::string debug = symbolize_test::DebugFileFor(root.path(), "00" + address.build_id);
  if (place == "build-id" || place == "gone") {
    debug = symbolize_test::DebugFileFor(root.path(), address.build_id);
  } else {
    std::filesystem::create_directories(root.path() + elsewhere.path());
    debug = root.path() + elsewhere.path() + "/split_off.debug";
  }
  std::filesystem::copy_file(FixturePath("split_off.debug"), debug);
  if (place == "gone") std::filesystem::remove(address.module);
  const auto chain = Lines(address, root.path());
  REQUIRE(chain.size() == 3);
  CheckFrame(chain[0], "shop::Cart::Add(int)", "innermost");
  CheckFrame(chain[2], "shop::Cart::Checkout()", "outermost");
}

TEST_CASE("without debug information there is still a name, or module and offset",
          "[dwarf][lines]") {
  ModuleAddress entry = Probe("shared_user").at("library_entry");
  entry.module = FixturePath("libstripped.so");
  const auto named = Lines(entry);
  REQUIRE(named.size() == 1);
  CHECK(named[0].function == "LibraryEntry");
  CHECK_FALSE(named[0].file);
  CHECK_FALSE(named[0].line);

  ModuleAddress hidden = Probe("shared_user").at("library_static");
  hidden.module = entry.module;
  const auto bare = Lines(hidden);
  REQUIRE(bare.size() == 1);
  CHECK(bare[0].function == "");
}

TEST_CASE("a replaced program gives no lines of the new one", "[dwarf][lines]") {
  const symbolize_test::TempDir directory;
  ModuleAddress address = Probe("inlined").at("main");
  address.module = directory / "program";
  std::filesystem::copy_file(FixturePath("dwarf4"), address.module);
  const auto frames = Lines(address);
  CHECK(frames[0].function == "");
  CHECK_FALSE(frames[0].line);
}

TEST_CASE("a library whose file is another one by now has lines by its build-id",
          "[dwarf][lines][replaced]") {
  const symbolize_test::TempDir directory;
  const symbolize_test::TempDir debug_root;
  const bool loaded = GENERATE(true, false);
  INFO(loaded);
  ModuleAddress address = Probe("shared_user").at("library_static");
  const std::string original = address.module;
  address.module = directory / "libwork.so";
  std::filesystem::copy_file(original, address.module);
  void* const handle = loaded ? dlopen(address.module.c_str(), RTLD_NOW) : nullptr;
  std::filesystem::copy_file(FixturePath("inlined"), directory / "new");
  std::filesystem::rename(directory / "new", address.module);

  if (!loaded) {  // as its file is gone, so are its names
    CHECK(Lines(address)[0].function == "");
  }
  std::filesystem::copy_file(original,
                             symbolize_test::DebugFileFor(debug_root.path(), address.build_id));
  Symbolizer symbolizer(
      {.mode = SymbolizeMode::kLines, .helper = HELPER, .debug_root = debug_root.path()});
  const auto frames = symbolizer.Symbolize(std::span(&address, 1));
  CheckFrame(frames[0][0], "InLibrary", "library_static", "shared.c");
  const auto notes = symbolizer.NotesOn(std::span(&address, 1));
  REQUIRE(notes.size() == 1);
  CHECK(notes[0].find("another build on disk") != std::string::npos);
  if (handle != nullptr) dlclose(handle);
}

TEST_CASE("damaged debug information harms nobody", "[dwarf][lines][damage]") {
  const symbolize_test::TempDir directory;
  const std::vector<uint8_t> whole = symbolize_test::ReadBytes(FixturePath("inlined"));
  const auto addresses = Probe("inlined");
  std::vector<ModuleAddress> all;
  for (const auto& [label, address] : addresses) all.push_back(address);
  uint32_t random = 12345;
  for (int round = 0; round < 12; ++round) {
    std::vector<uint8_t> damaged = whole;
    // From a third on: behind the headers and the code, where the debug sections are.
    for (int i = 0; i < 40; ++i) {
      random = random * 1664525U + 1013904223U;
      damaged[whole.size() / 3 + random % (whole.size() * 2 / 3)] ^=
          static_cast<uint8_t>(1U << (random >> 29));
    }
    const std::string path = directory / ("program" + std::to_string(round));
    symbolize_test::WriteBytes(path, damaged);
    for (ModuleAddress& address : all) address.module = path;
    Symbolizer symbolizer({.mode = SymbolizeMode::kLines,
                           .helper = HELPER,
                           .debug_root = "/nowhere",
                           .helper_limit = std::chrono::milliseconds(5000)});
    const auto frames = symbolizer.Symbolize(all);
    REQUIRE(frames.size() == all.size());
    for (const auto& one : frames) CHECK_FALSE(one.empty());
  }
}

}  // namespace heapgauge
