#include <array>
#include <atomic>
#include <catch2/catch.hpp>
#include <memory>
#include <set>
#include <string>

#include "support/stress.h"
#include "support/thread_gun.h"
#include "trace/module_ledger.h"

namespace heapgauge {
namespace {

constexpr size_t kThreads = 4;
constexpr size_t kModules = 48;

// Every other module lies where the one before it did.
ModuleFacts FactsOf(size_t module) {
  ModuleFacts facts;
  facts.begin = 0x10000 + module / 2 * 0x1000;
  facts.end = facts.begin + 0x1000;
  facts.name = module % 2 == 0 ? "even" : "odd";
  return facts;
}

TEST_CASE("threads that enter the same modules get the same records, and one of two is first",
          "[race]") {
  for (size_t round = 0; round < 20 * test::kStress; ++round) {
    PageArena arena(size_t{4} << 20);
    const auto ledger = std::make_unique<ModuleLedger>(arena);
    ledger->Initialize();
    const uint32_t before = ledger->size();
    std::array<std::array<const ModuleRecord*, kModules>, kThreads> got{};
    std::atomic<uint64_t> wrong{0};
    test::ThreadGun(kThreads).Fire([&](size_t thread) {
      for (size_t i = 0; i < kModules; ++i) {
        const size_t module = thread % 2 == 0 ? i : kModules - 1 - i;
        const ModuleRecord* const record = ledger->Enter(FactsOf(module));
        got[thread][module] = record;
        // What can be reached is complete (M1), by its number as well.
        if (record == nullptr || ledger->At(record->number) != record ||
            record->facts.begin != FactsOf(module).begin ||
            record->facts.name != std::string(FactsOf(module).name)) {
          wrong.fetch_add(1);
        }
      }
    });
    REQUIRE(wrong == 0);
    std::set<const ModuleRecord*> different;
    for (size_t module = 0; module < kModules; ++module) {
      for (size_t thread = 1; thread < kThreads; ++thread) {
        REQUIRE(got[thread][module] == got[0][module]);
      }
      different.insert(got[0][module]);
    }
    CHECK(different.size() == kModules);
    CHECK(ledger->size() == before + kModules);
    for (size_t module = 0; module < kModules; module += 2) {
      // M2
      REQUIRE(got[0][module]->successor != got[0][module + 1]->successor);
    }
  }
}

}  // namespace
}  // namespace heapgauge
