#include "reporter/site_identity.h"

#include <catch2/catch.hpp>
#include <memory>

namespace heapgauge {
namespace {

struct Table {
  Table() : arena(size_t{1} << 22), sites(arena) { REQUIRE(sites.Initialize(size_t{1} << 21)); }
  PageArena arena;
  SiteTable sites;
};

uintptr_t AddressIn(const void* function, uintptr_t offset) {
  return reinterpret_cast<uintptr_t>(function) + offset;
}

TEST_CASE("a site's id is that of its stack, asked once or twice", "[reporter][site_identity]") {
  const auto table = std::make_unique<Table>();
  SiteIdentity identity;
  const uintptr_t code = AddressIn(reinterpret_cast<const void*>(&IdText), 8);
  const uintptr_t one[] = {code, code + 16};
  const uintptr_t other[] = {code, code + 17};
  const uint64_t id = identity.IdOf(*table->sites.Intern(one, 2));
  CHECK(id == identity.IdOf(*table->sites.Intern(one, 2)));
  CHECK(id != identity.IdOf(*table->sites.Intern(other, 2)));
  SiteIdentity fresh;
  CHECK(fresh.IdOf(*table->sites.Intern(one, 2)) == id);
}

TEST_CASE("frames outside every module don't make an id depend on their address",
          "[reporter][site_identity]") {
  const auto table = std::make_unique<Table>();
  SiteIdentity identity;
  const uintptr_t code = AddressIn(reinterpret_cast<const void*>(&IdText), 8);
  const uintptr_t here[] = {code, 0x10};
  const uintptr_t there[] = {code, 0x20};
  CHECK(identity.IdOf(*table->sites.Intern(here, 2)) ==
        identity.IdOf(*table->sites.Intern(there, 2)));
}

TEST_CASE("a return address is moved back into its call", "[reporter][site_identity]") {
  const auto table = std::make_unique<Table>();
  const SiteIdentity identity;
  const uintptr_t code = AddressIn(reinterpret_cast<const void*>(&IdText), 8);
  const uintptr_t stack[] = {code};
  const std::vector<ModuleAddress> addresses = identity.Addresses(*table->sites.Intern(stack, 1));
  REQUIRE(addresses.size() == 1);
  const ModuleAddress exact = identity.modules().Locate(code);
  CHECK(addresses[0].offset == exact.offset - 1);
  CHECK(addresses[0].module == exact.module);
}

TEST_CASE("an id is sixteen hex digits", "[reporter][site_identity]") {
  CHECK(IdText(0) == "0000000000000000");
  CHECK(IdText(0xABCDEF) == "0000000000abcdef");
}

}  // namespace
}  // namespace heapgauge
