#include "trace/module_ledger.h"

#include <dlfcn.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <memory>
#include <string>

namespace heapgauge {
namespace {

struct Book {
  Book() : arena(size_t{8} << 20), ledger(arena) { ledger.Initialize(); }
  PageArena arena;
  ModuleLedger ledger;
};

ModuleFacts Facts(uintptr_t begin, uintptr_t end, const char* name, uint64_t content = 1) {
  ModuleFacts facts;
  facts.begin = begin;
  facts.end = end;
  facts.bias = begin;
  facts.name = name;
  facts.content = content;
  return facts;
}

struct Loaded {
  explicit Loaded(const char* path) : handle(dlopen(path, RTLD_NOW)) {
    REQUIRE(handle != nullptr);
    code = reinterpret_cast<uintptr_t>(dlsym(handle, "module_code"));
    REQUIRE(code != 0);
  }
  ~Loaded() { dlclose(handle); }
  Loaded(const Loaded&) = delete;
  Loaded& operator=(const Loaded&) = delete;
  void* handle;
  uintptr_t code;
};

// A stack through the program, and through `code` where that is not 0.
std::unique_ptr<StackTrace> TraceThrough(uintptr_t code) {
  auto trace = std::make_unique<StackTrace>();
  trace->frames[trace->depth++] = reinterpret_cast<uintptr_t>(&TraceThrough) + 1;
  if (code != 0) trace->frames[trace->depth++] = code + 1;
  return trace;
}

TEST_CASE("a module that lies where another was is its successor", "[trace][module_ledger]") {
  const auto book = std::make_unique<Book>();
  ModuleLedger& ledger = book->ledger;
  const ModuleRecord* const first = ledger.Enter(Facts(0x1000, 0x5000, "first"));
  const ModuleRecord* const beside = ledger.Enter(Facts(0x5000, 0x6000, "beside"));
  const ModuleRecord* const second = ledger.Enter(Facts(0x1000, 0x5000, "second"));
  REQUIRE((first != nullptr && beside != nullptr && second != nullptr));
  CHECK_FALSE(first->successor);
  CHECK_FALSE(beside->successor);
  CHECK(second->successor);
  CHECK(ledger.At(second->number) == second);

  SECTION("its stacks name it, the others' do not need to") {
    const uintptr_t named[] = {second->number};
    CHECK(ledger.HolderOf(0x2000, named, 1) == second);
    CHECK(ledger.HolderOf(0x2000, nullptr, 0) == first);
    CHECK(ledger.HolderOf(0x5800, named, 1) == beside);
    CHECK(ledger.HolderOf(0x7000, named, 1) == nullptr);
  }
  SECTION("one that comes back gets its old record") {
    const uint32_t size = ledger.size();
    CHECK(ledger.Enter(Facts(0x1000, 0x5000, "first")) == first);
    CHECK(ledger.Enter(Facts(0x1000, 0x5000, "second")) == second);
    CHECK(ledger.size() == size);
  }
  SECTION("the same name with another content is another module") {
    const ModuleRecord* const other = ledger.Enter(Facts(0x1000, 0x5000, "first", 2));
    REQUIRE(other != nullptr);
    CHECK(other != first);
    CHECK(other->successor);
  }
  SECTION("so is the same content with another build-id or name") {
    ModuleFacts facts = Facts(0x1000, 0x5000, "first");
    facts.build_id_size = 2;
    const ModuleRecord* const with_id = ledger.Enter(facts);
    facts.build_id[1] = 1;
    CHECK(ledger.Enter(facts) != with_id);
    CHECK(ledger.Enter(Facts(0x1000, 0x5000, "third")) != first);
  }
  SECTION("one byte in common is enough") {
    CHECK(ledger.Enter(Facts(0x5FFF, 0x9000, "behind"))->successor);
    CHECK(ledger.Enter(Facts(0x0, 0x1001, "before"))->successor);
    CHECK(ledger.Enter(Facts(0x2000, 0x2001, "within"))->successor);
    // Of successors, too: who came between is not forgotten.
    CHECK(ledger.Enter(Facts(0x8FFF, 0x9100, "far"))->successor);
    CHECK_FALSE(ledger.Enter(Facts(0x9100, 0x9200, "free"))->successor);
  }
  SECTION("names are the ledger's own") {
    std::string name = "short-lived";
    const ModuleRecord* const record = ledger.Enter(Facts(0x20000, 0x21000, name.c_str()));
    name = "overwritten";
    CHECK(record->facts.name == std::string("short-lived"));
  }
}

TEST_CASE("a stack names the successors that it has frames in", "[trace][module_ledger]") {
  const auto book = std::make_unique<Book>();
  ModuleLedger& ledger = book->ledger;
  // Nothing was loaded since stock was taken.
  CHECK(ledger.NameSuccessors(*TraceThrough(0), ledger.clock().Now()) == 0);

  uintptr_t code = 0;
  {
    const Loaded scout(FIRST_MODULE);
    code = scout.code;
    const auto trace = TraceThrough(code);
    CHECK(ledger.NameSuccessors(*trace, ledger.clock().Now()) == 0);  // nothing was there before
    const ModuleRecord* const record = ledger.HolderOf(code, nullptr, 0);
    REQUIRE(record != nullptr);
    CHECK(record->facts.name == std::string(FIRST_MODULE));
  }
  const Loaded other(SECOND_MODULE);
  if (other.code != code) {
    WARN("the loader put the second module elsewhere");
    return;
  }
  const auto trace = TraceThrough(code);
  const uint64_t now = ledger.clock().Now();
  REQUIRE(ledger.NameSuccessors(*trace, now) == 1);
  const ModuleRecord* const record = ledger.At(static_cast<uint32_t>(trace->frames[2]));
  REQUIRE(record != nullptr);
  CHECK(record->successor);
  CHECK(record->facts.name == std::string(SECOND_MODULE));
  CHECK(ledger.HolderOf(code, trace->frames + 2, 1) == record);
  CHECK(ledger.HolderOf(code, nullptr, 0)->facts.name == std::string(FIRST_MODULE));
  // Stacks that do not lead through it name nothing, and stock taken changes nothing.
  CHECK(ledger.NameSuccessors(*TraceThrough(0), now) == 0);
  ledger.TakeStock();
  CHECK(ledger.NameSuccessors(*trace, ledger.clock().Now()) == 1);
}

TEST_CASE("a full ledger says that it does not know", "[trace][module_ledger]") {
  const auto book = std::make_unique<Book>();
  ModuleLedger& ledger = book->ledger;
  for (uint32_t i = ledger.size(); i < ModuleLedger::kMost; ++i) {
    REQUIRE(ledger.Enter(Facts(0x1000 + i * 16, 0x1010 + i * 16, "filler")) != nullptr);
  }
  CHECK(ledger.size() == ModuleLedger::kMost);
  CHECK(ledger.Enter(Facts(0x1, 0x2, "one more")) == nullptr);
  CHECK(ledger.Enter(Facts(0x1000 + 16 * (ModuleLedger::kMost - 1),
                           0x1010 + 16 * (ModuleLedger::kMost - 1), "filler")) != nullptr);

  const Loaded module(FIRST_MODULE);
  const auto trace = TraceThrough(module.code);
  const uintptr_t* const named = trace->frames + trace->depth;
  const size_t count = ledger.NameSuccessors(*trace, ledger.clock().Now());
  REQUIRE(count == 2);
  CHECK(ModuleLedger::IsUnknown(named, count));
  CHECK(ledger.HolderOf(module.code, named, count) == nullptr);
  // The program was known before, and is named so that it stays known.
  CHECK(ledger.HolderOf(trace->frames[0], named, count) != nullptr);
}

TEST_CASE("without memory no stack names anything", "[trace][module_ledger]") {
  PageArena arena(0);
  const auto ledger = std::make_unique<ModuleLedger>(arena);
  ledger->Initialize();
  CHECK(ledger->size() == 0);
  CHECK(ledger->Enter(Facts(0x1000, 0x2000, "any")) == nullptr);
  const Loaded module(FIRST_MODULE);
  CHECK(ledger->NameSuccessors(*TraceThrough(module.code), ledger->clock().Now()) == 0);
  CHECK(ledger->HolderOf(0x1800, nullptr, 0) == nullptr);
}

}  // namespace
}  // namespace heapgauge
