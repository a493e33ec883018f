// What heapgauge check makes of the blocks that were lost: suppressions, groups, and how it is told.
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "cli/check_formats.h"
#include "cli/lost_groups.h"
#include "cli/suppressions.h"

namespace heapgauge::cli {
namespace {

Frame At(std::string function, std::string file, uint32_t line) {
  Frame frame;
  frame.function = std::move(function);
  frame.file = std::move(file);
  frame.line = line;
  frame.module = "/opt/shop/bin/shop";
  frame.module_offset = 0x1000 + line;
  return frame;
}

// Sites 0, 1, ...: each asks in a function of its own, called by main.
Report WithSites(size_t count) {
  Report report;
  report.pid = 7;
  report.exe = "/opt/shop/bin/shop";
  for (size_t i = 0; i < count; ++i) {
    Site& site = report.sites.emplace_back();
    const auto line = static_cast<uint32_t>(10 + i);
    site.frames = {At("shop::Make" + std::to_string(i) + "(int)", "/src/shop/make.cc", line),
                   At("main", "/src/shop/main.cc", 5)};
  }
  return report;
}

CheckResult Groups(size_t sites, std::string_view graph, Suppressions* suppressions) {
  CheckResult result;
  REQUIRE(AddLost(WithSites(sites), graph, suppressions, &result));
  FinishGroups("/src", &result);
  return result;
}

CheckResult Groups(size_t sites, std::string_view graph) {
  Suppressions none;
  return Groups(sites, graph, &none);
}

Suppressions Rules(std::string_view text, std::vector<std::string>* problems) {
  Suppressions rules;
  rules.Add(text, "supp", problems);
  return rules;
}

}  // namespace

TEST_CASE("a template matches as LeakSanitizer's does", "[cli]") {
  struct Row {
    const char* pattern;
    const char* text;
    bool matches;
  };
  const Row rows[] = {
      {"make", "shop::make_one", true},
      {"make", "shop::mak", false},
      {"^make", "make_one", true},
      {"^make", "remake", false},
      {"one$", "make_one", true},
      {"one$", "make_one_more", false},
      {"^make_one$", "make_one", true},
      {"^make_one$", "make_one_", false},
      {"m*e", "make", true},
      {"m*x*e", "make", false},
      {"^m*e$", "make_one", true},
      {"^m*k$", "make_one", false},
      {"*", "anything", true},
      {"^*$", "anything", true},
      {"", "anything", true},
      {"make", "", false},
      {"*one*", "make_one_more", true},
      {"one*make", "make_one", false},
      {"^a*a$", "a", false},
      {"^a*a$", "aa", true},
  };
  for (const Row& row : rows) {
    CAPTURE(row.pattern, row.text);
    CHECK(TemplateMatches(row.pattern, row.text) == row.matches);
  }
}

TEST_CASE("a line of a suppression file that is none is said, and the others hold", "[cli]") {
  std::vector<std::string> problems;
  const Suppressions rules = Rules(
      "# a comment\n\nleak:one\nrace:two\nleak\nleak:\n  leak: three \t\r\nleak:four", &problems);
  REQUIRE(rules.rules().size() == 3);
  CHECK(rules.rules()[0].pattern == "one");
  CHECK(rules.rules()[1].pattern == "three");
  CHECK(rules.rules()[2].pattern == "four");
  REQUIRE(problems.size() == 3);
  CHECK(problems[0].find("supp:4:") == 0);
  CHECK(problems[1].find("supp:5:") == 0);
  CHECK(problems[2].find("supp:6:") == 0);
}

TEST_CASE("a rule is looked for in module, function and file of every frame", "[cli]") {
  std::vector<std::string> problems;
  const std::vector<Frame> stack = WithSites(1).sites[0].frames;
  for (const char* rule : {"leak:^shop::Make0", "leak:bin/shop$", "leak:make.cc$", "leak:^main$"}) {
    CAPTURE(rule);
    CHECK(Rules(rule, &problems).Match(stack) == 0);
  }
  CHECK(!Rules("leak:Make1\nleak:other", &problems).Match(stack));
  CHECK(Rules("leak:Make1\nleak:Make0\nleak:main", &problems).Match(stack) == 1);
}

TEST_CASE("what nothing lost points to is lost directly, the rest hangs on it", "[cli]") {
  // 0 -> 1 -> 2, and 0 -> 2; the second and third are of site 1.
  const CheckResult result = Groups(2, "0 10 1 2\n1 20 2\n1 30\n");
  REQUIRE(result.groups.size() == 1);
  const LostGroup& group = result.groups[0];
  CHECK(!group.is_ring);
  CHECK(group.direct.objects == 1);
  CHECK(group.direct.bytes == 10);
  CHECK(group.indirect.objects == 2);
  CHECK(group.indirect.bytes == 50);
  CHECK(group.members.size() == 1);
  CHECK(result.lost.objects == 3);
  CHECK(result.processes.at(0).lost.bytes == 60);
}

// libmemunreachable's shapes of folding, told anew.
TEST_CASE("rings that nothing points to are rings, whatever hangs on them", "[cli]") {
  struct Row {
    const char* about;
    const char* graph;  // all of site 0
    size_t rings;
    uint64_t in_rings;
    uint64_t hanging;
    size_t plain;
  };
  const Row rows[] = {
      {"two that point to each other", "0 8 1\n0 8 0\n", 1, 2, 0, 0},
      {"one that points to itself is no ring", "0 8\n", 0, 0, 0, 1},
      {"a chain behind a ring", "0 8 1\n0 8 0 2\n0 8 3\n0 8\n", 1, 2, 2, 0},
      {"a chain that leads into a ring", "0 8 1\n0 8 2\n0 8 1\n", 0, 0, 2, 1},
      {"a ring that leads into a ring", "0 8 1\n0 8 0 2\n0 8 3\n0 8 2\n", 1, 2, 2, 0},
      {"two rings, one group of a line", "0 8 1\n0 8 0\n0 8 3\n0 8 2\n", 1, 4, 0, 0},
      {"two rings that share one", "0 8 1 2\n0 8 0\n0 8 0\n", 1, 3, 0, 0},
  };
  for (const Row& row : rows) {
    CAPTURE(row.about);
    const CheckResult result = Groups(1, row.graph);
    size_t rings = 0;
    size_t plain = 0;
    uint64_t in_rings = 0;
    uint64_t hanging = 0;
    for (const LostGroup& group : result.groups) {
      (group.is_ring ? rings : plain) += 1;
      in_rings += group.is_ring ? group.direct.objects : 0;
      hanging += group.indirect.objects;
    }
    CHECK(rings == row.rings);
    CHECK(in_rings == row.in_rings);
    CHECK(hanging == row.hanging);
    CHECK(plain == row.plain);
  }
}

TEST_CASE("a ring of many thousand blocks is one ring", "[cli]") {
  constexpr int kCount = 100000;
  std::string graph;
  for (int i = 0; i < kCount; ++i) graph += "0 16 " + std::to_string((i + 1) % kCount) + "\n";
  const CheckResult result = Groups(1, graph);
  REQUIRE(result.groups.size() == 1);
  CHECK(result.groups[0].is_ring);
  CHECK(result.groups[0].direct.objects == kCount);
}

TEST_CASE("what hangs on a suppressed block goes with it", "[cli]") {
  std::vector<std::string> problems;
  Suppressions rules = Rules("leak:Make0\nleak:unused\n", &problems);
  // Of site 0, with a tail of site 1; and one more of site 1.
  const CheckResult result = Groups(2, "0 10 1\n1 20 2\n1 30\n1 40\n", &rules);
  CHECK(result.suppressed.objects == 3);
  CHECK(result.lost.objects == 1);
  CHECK(result.lost.bytes == 40);
  CHECK(rules.rules()[0].objects == 1);
  CHECK(rules.rules()[0].bytes == 10);
  CHECK(rules.rules()[1].objects == 0);
}

TEST_CASE("a damaged graph is refused as a whole", "[cli]") {
  for (const char* graph : {"0 8", "0\n", "1 8\n", "0 8 1\n", "0 8 x\n", "x\n", "0 -8\n", "\n"}) {
    CAPTURE(graph);
    Suppressions none;
    CheckResult result;
    CHECK(!AddLost(WithSites(1), graph, &none, &result));
    CHECK(result.processes.empty());
  }
}

TEST_CASE("the id of a call site stays when lines are inserted above", "[cli]") {
  const auto id_of = [](uint32_t line) {
    Report report = WithSites(1);
    report.sites[0].frames.Edit()[0].line = line;
    report.sites[0].frames.Edit()[0].module_offset += line;
    Suppressions none;
    CheckResult result;
    REQUIRE(AddLost(report, "0 8\n", &none, &result));
    FinishGroups("/src", &result);
    return result.groups.at(0).id;
  };
  CHECK(id_of(10) == id_of(20));
  // Two lines of one function have two.
  Report report = WithSites(2);
  report.sites[1].frames.Edit()[0].function = report.sites[0].frames[0].function;
  Suppressions none;
  CheckResult result;
  REQUIRE(AddLost(report, "0 8\n1 9\n", &none, &result));
  FinishGroups("/src", &result);
  CHECK(result.groups.at(0).id != result.groups.at(1).id);
}

TEST_CASE("each format tells what is lost, and nothing is lost", "[cli]") {
  const CheckPage page = {.command = "./shop <&>", .source_root = "/src", .command_status = 0};
  const CheckResult lost = Groups(2, "0 10 1\n1 20\n1 5 3\n1 5 2\n");
  const CheckResult nothing = Groups(0, "");
  const Suppressions none;
  for (const std::string& format : CheckFormats()) {
    CAPTURE(format);
    CHECK(RenderCheck(format, lost, none, page).find("Make0") != std::string::npos);
    CHECK(RenderCheck(format, nothing, none, page).find("Make0") == std::string::npos);
  }
  const std::string text = RenderCheck("text", lost, none, page);
  CHECK(
      text.find("lost: 1 object, 10 B, from shop::Make0 (make.cc:10); 1 object, 20 B hang on it") !=
      std::string::npos);
  CHECK(text.find("lost in rings: 2 objects, 10 B") != std::string::npos);
  CHECK(RenderCheck("junit", lost, none, page).find("./shop &lt;&amp;&gt;") != std::string::npos);
  CHECK(RenderCheck("sarif", lost, none, page).find("\"shop/make.cc\"") != std::string::npos);
  CHECK(RenderCheck("text", nothing, none, page).find("none of them is lost") != std::string::npos);
}

TEST_CASE("of annotations ten are made, and the rest is counted", "[cli]") {
  std::string graph;
  for (int i = 0; i < 25; ++i) graph += std::to_string(i) + " 8\n";
  const CheckPage page = {.command = "./shop", .source_root = "/src", .command_status = 0};
  const Suppressions none;
  const std::string text = RenderCheck("github", Groups(25, graph), none, page);
  size_t errors = 0;
  for (size_t at = 0; (at = text.find("::error file=shop/make.cc,line=", at)) != std::string::npos;
       ++at) {
    ++errors;
  }
  CHECK(errors == 10);
  CHECK(text.find("and at 15 more call sites") != std::string::npos);
}

}  // namespace heapgauge::cli
