#include "dwarf/readable.h"

#include <pthread.h>
#include <sys/mman.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <vector>

#include "symbolize/demangle.h"
#include "unit/symbolize/repeat.h"

namespace heapgauge::dwarf {

TEST_CASE("the helper reads Rust's newer names", "[dwarf][readable]") {
  CHECK(Readable("_RNvNtCs1234_7mycrate3foo3bar") == "mycrate::foo::bar");
  CHECK(Readable("_RNvMs_NtCs5l0EXMQXRMU_5alloc7raw_vecINtB4_6RawVechE4growCs_5crate") ==
        "<alloc::raw_vec::RawVec<u8>>::grow");
  CHECK(Readable("_RNotOne") == "_RNotOne");
  CHECK(Readable("_RNvNtCs1234_7mycr") == "_RNvNtCs1234_7mycr");
  // Two types of the type before, forty times: a thousand million of the first one.
  std::string doubling = "_RINvC1a1fh";
  for (int i = 0; i < 40; ++i) doubling += "TB" + std::string(i == 0 ? "7" : "8") + "_B8_E";
  CHECK(Readable(doubling + "E").size() <= symbolize::kMaxFunctionName);
}

TEST_CASE("the helper reads C++ names of any usual length", "[dwarf][readable]") {
  for (const size_t length : {600, 1023, 1024, 1100, 3000, 10000}) {
    const std::string parts = Repeat("St6vectorIiSaIiEE", length / 17);
    INFO(length);
    const std::string text = Readable("_ZN4shop5IndexI" + parts + "E3AddEv");
    CHECK(text.starts_with("shop::Index<"));
    CHECK(text.ends_with(">::Add()"));
    CHECK(text.size() <= symbolize::kMaxFunctionName);
  }
  const std::string endless = "_Z1f" + Repeat("P", 100000) + "i";
  CHECK(Readable(endless).size() <= symbolize::kMaxFunctionName);
}

TEST_CASE("a name that takes for ever costs the helper its own time", "[dwarf][readable]") {
  const std::string good = "_Z1fIXsrmC1EEvv";
  CHECK(Readable(good) == "void f<unsigned long::f>()");
  for (const std::string name : {"_Z1fIXsr1aC_EEvv", "_Z1fDTsriCC_Evv", "_Z1fA_A1_Asr1aC__i"}) {
    CHECK(Readable(name) == name);
    CHECK(Readable("_ZN4shop4Cart8CheckoutEv") == "shop::Cart::Checkout()");
  }
  // And by the other demangler, which reads the long ones.
  const std::string endless = "_ZN1a" + Repeat("1b", 600) + "IXsr1aC_EEEvv";
  CHECK(Readable(endless).starts_with("_ZN1a1b1b"));
  CHECK(Readable(good) == "void f<unsigned long::f>()");
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // whose frames are larger
TEST_CASE("the deepest names find room on the helper's stack", "[dwarf][readable]") {
  constexpr size_t kStack = size_t{8} * 1024 * 1024;
  constexpr size_t kLength = size_t{16} * 1024;
  std::vector<std::string> names = {
      "_Z1f" + Repeat("P", kLength - 5) + "i",
      "_Z1f" + Repeat("A_", kLength / 2 - 3) + "i",
      "_ZN" + Repeat("1a", (kLength - 6) / 2) + "Ev",
      "_Z1f" + Repeat("FvP", (kLength - 8) / 4) + "i" + Repeat("E", (kLength - 8) / 4),
      "_Z1fI" + Repeat("1aI", (kLength - 20) / 4) + "i" + Repeat("E", (kLength - 20) / 4) + "Evv",
      "_Z1fIiEDT" + Repeat("cl", (kLength - 20) / 3) + "fp_" + Repeat("E", (kLength - 20) / 3) +
          "Ev"};
  void* const stack =
      mmap(nullptr, kStack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  REQUIRE(stack != MAP_FAILED);
  auto* const bytes = static_cast<unsigned char*>(stack);
  for (std::string& name : names) {
    INFO(name.substr(0, 20));
    std::fill(bytes, bytes + kStack, 0xA5);
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    REQUIRE(pthread_attr_setstack(&attributes, stack, kStack) == 0);
    pthread_t thread;
    const auto read = [](void* data) -> void* {
      Readable(*static_cast<std::string*>(data));
      return nullptr;
    };
    REQUIRE(pthread_create(&thread, &attributes, read, &name) == 0);
    pthread_join(thread, nullptr);
    pthread_attr_destroy(&attributes);
    const auto* const deepest =
        std::find_if(bytes, bytes + kStack, [](unsigned char byte) { return byte != 0xA5; });
    const auto used = static_cast<size_t>(bytes + kStack - deepest);
    INFO(used / name.size() << " bytes of stack for one of the name");
    CHECK(used < kLength * 400);
  }
  munmap(stack, kStack);
}
#endif

}  // namespace heapgauge::dwarf
