// What is found of a module without the loader's _dl_find_object() is what that tells.
#include "elf/find_object.h"

#include <dlfcn.h>
#include <link.h>
#include <sys/auxv.h>

#include <catch2/catch.hpp>
#include <cstdio>
#include <cstdlib>
#include <vector>

namespace heapgauge {
namespace {

int g_variable = 1;

void CheckSame(void* address) {
  INFO("at " << address);
  dl_find_object expected{};
  dl_find_object found{};
  REQUIRE(_dl_find_object(address, &expected) == 0);
  REQUIRE(FindObjectByHand(address, _r_debug.r_map, &found) == 0);
  CHECK(found.dlfo_link_map == expected.dlfo_link_map);
  CHECK(found.dlfo_map_start == expected.dlfo_map_start);
  CHECK(found.dlfo_map_end == expected.dlfo_map_end);
  CHECK(found.dlfo_eh_frame == expected.dlfo_eh_frame);
}

TEST_CASE("a module is found without the loader's help as with it", "[elf][find_object]") {
  CheckSame(reinterpret_cast<void*>(&CheckSame));
  CheckSame(&g_variable);
  CheckSame(reinterpret_cast<void*>(&std::abort));
  CheckSame(stdout);
  CheckSame(dlsym(RTLD_DEFAULT, "malloc"));
  CheckSame(reinterpret_cast<void*>(getauxval(AT_BASE)));
  CheckSame(reinterpret_cast<void*>(getauxval(AT_SYSINFO_EHDR)));
}

TEST_CASE("no module is found where none is", "[elf][find_object]") {
  dl_find_object found{};
  const std::vector<int> heap(100);
  int on_stack = 0;
  for (const void* address : std::vector<const void*>{nullptr, heap.data(), &on_stack}) {
    CHECK(FindObjectByHand(const_cast<void*>(address), _r_debug.r_map, &found) != 0);
    CHECK(found.dlfo_link_map == nullptr);
  }
  CHECK(FindObjectByHand(&g_variable, nullptr, &found) != 0);
}

}  // namespace
}  // namespace heapgauge
