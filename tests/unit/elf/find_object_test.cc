// What is found of a module without the loader's _dl_find_object() is what that tells.
#include "elf/find_object.h"

#include <dlfcn.h>
#include <link.h>
#include <sys/auxv.h>
#include <sys/mman.h>

#include <catch2/catch.hpp>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "elf/module_around.h"

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
  // glibc tells of one segment, where there are gaps between them.
  const AddressRange whole = ModuleAround(address).range();
  CHECK(reinterpret_cast<uintptr_t>(found.dlfo_map_start) == whole.begin);
  CHECK(reinterpret_cast<uintptr_t>(found.dlfo_map_end) == whole.end);
  CHECK(found.dlfo_map_start <= expected.dlfo_map_start);
  CHECK(found.dlfo_map_end >= expected.dlfo_map_end);
  CHECK(found.dlfo_eh_frame == expected.dlfo_eh_frame);
}

TEST_CASE("a module is found without the loader's help as with it", "[elf][find_object]") {
  CheckSame(reinterpret_cast<void*>(&CheckSame));
  CheckSame(&g_variable);
  CheckSame(reinterpret_cast<void*>(&std::abort));
  CheckSame(stdout);
  CheckSame(dlsym(RTLD_DEFAULT, "malloc"));
  CheckSame(reinterpret_cast<void*>(getauxval(AT_BASE)));
  // Emulators may have none.
  if (getauxval(AT_SYSINFO_EHDR) != 0) {
    CheckSame(reinterpret_cast<void*>(getauxval(AT_SYSINFO_EHDR)));
  }
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

// A module whose headers lie at the end of a page, as a test wants them; behind it nothing is mapped.
class MadeModule {
 public:
  static constexpr uintptr_t kBias = 0x7100'0000'0000;

  MadeModule() {
    pages_ = static_cast<unsigned char*>(
        mmap(nullptr, 2 * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    REQUIRE(pages_ != MAP_FAILED);
    REQUIRE(munmap(pages_ + kPage, kPage) == 0);
    info_.dlpi_addr = kBias;
    info_.dlpi_name = "made";
  }
  ~MadeModule() { munmap(pages_, kPage); }
  MadeModule(const MadeModule&) = delete;
  MadeModule& operator=(const MadeModule&) = delete;

  void Set(const std::vector<ElfW(Phdr)>& headers) {
    const size_t bytes = headers.size() * sizeof(ElfW(Phdr));
    info_.dlpi_phnum = static_cast<ElfW(Half)>(headers.size());
    info_.dlpi_phdr = reinterpret_cast<const ElfW(Phdr)*>(pages_ + kPage - bytes);
    std::memcpy(pages_ + kPage - bytes, headers.data(), bytes);
  }
  void TakeAway() const { REQUIRE(mprotect(pages_, kPage, PROT_NONE) == 0); }
  dl_phdr_info& info() { return info_; }
  bool Holds(uintptr_t at) {
    found = {};
    return FindIn(info_, kBias + at, &found);
  }

  static ElfW(Phdr) Segment(uint32_t type, uintptr_t begin, uint64_t bytes) {
    ElfW(Phdr) segment{};
    segment.p_type = type;
    segment.p_vaddr = begin;
    segment.p_memsz = bytes;
    return segment;
  }

  dl_find_object found{};

 private:
  static constexpr size_t kPage = 4096;
  unsigned char* pages_ = nullptr;
  dl_phdr_info info_{};
};

uintptr_t Number(const void* at) { return reinterpret_cast<uintptr_t>(at); }

TEST_CASE_METHOD(MadeModule, "a module holds what its segments hold, and no more",
                 "[elf][find_object]") {
  Set({Segment(PT_LOAD, 0x1010, 0x100), Segment(PT_GNU_EH_FRAME, 0x3020, 0x40),
       Segment(PT_LOAD, 0x3000, 0x800)});
  for (const uintptr_t at : {0x1000, 0x1010, 0x2000, 0x37FF}) CHECK(Holds(at));
  CHECK(Number(found.dlfo_map_start) == kBias + 0x1000);
  CHECK(Number(found.dlfo_map_end) == kBias + 0x3800);
  CHECK(Number(found.dlfo_eh_frame) == kBias + 0x3020);
  for (const uintptr_t at : {0x0, 0xFFF, 0x3800}) CHECK_FALSE(Holds(at));
}

TEST_CASE_METHOD(MadeModule, "headers that are not there, or run out, hold nothing",
                 "[elf][find_object]") {
  Set({Segment(PT_LOAD, 0, 0x1000)});
  REQUIRE(Holds(0x10));
  for (const int count : {2, 1024, 65535}) {  // beyond the page
    info().dlpi_phnum = static_cast<ElfW(Half)>(count);
    CHECK_FALSE(Holds(0x10));
  }
  info().dlpi_phnum = 0;
  CHECK_FALSE(Holds(0x10));
  info().dlpi_phnum = 1;
  TakeAway();  // as a file that is cut short does
  CHECK_FALSE(Holds(0x10));
  info().dlpi_phdr = nullptr;
  CHECK_FALSE(Holds(0x10));
  info().dlpi_phdr = reinterpret_cast<const ElfW(Phdr)*>(uintptr_t{0x10001});
  CHECK_FALSE(Holds(0x10));
}

TEST_CASE_METHOD(MadeModule, "sizes and places that lie lead nowhere", "[elf][find_object]") {
  // Round the end of the address space; alignments are not believed.
  Set({Segment(PT_LOAD, 0, UINT64_MAX), Segment(PT_LOAD, UINT64_MAX - kBias, 0x1000)});
  CHECK_FALSE(Holds(0x10));
  std::vector<ElfW(Phdr)> headers = {Segment(PT_LOAD, 0x10000, 0x1000)};
  headers[0].p_align = uint64_t{1} << 40;
  Set(headers);
  CHECK_FALSE(Holds(0x10));
  CHECK(Holds(0x10000));
  // Tables outside the module are none.
  Set({Segment(PT_LOAD, 0, 0x1000), Segment(PT_GNU_EH_FRAME, 0x1000, 0x40)});
  CHECK(Holds(0x10));
  CHECK(found.dlfo_eh_frame == nullptr);
  // Sixteen gigabytes are a claim like others: the nearer one wins, in the list of all.
  Set({Segment(PT_LOAD, 0, uint64_t{16} << 30)});
  CHECK(Holds(0x10));
}

}  // namespace
}  // namespace heapgauge
