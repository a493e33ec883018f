#include "symbolize/demangle.h"

#include <pthread.h>
#include <sys/mman.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <vector>

namespace heapgauge::symbolize {
namespace {

std::string Repeat(const std::string& piece, size_t times) {
  std::string text;
  for (size_t i = 0; i < times; ++i) text += piece;
  return text;
}

}  // namespace

TEST_CASE("C++ names are demangled, others stay as they are", "[symbolize][demangle]") {
  CHECK(Demangle("_ZN4shop4Cart8CheckoutEv") == "shop::Cart::Checkout()");
  CHECK(Demangle("_ZN4shop5TwiceIiEET_S1_.constprop.0") ==
        "int shop::Twice<int>(int) [clone .constprop.0]");
  CHECK(Demangle("main") == "main");
  CHECK(Demangle("f") == "f");  // as a type it would be "float"
  CHECK(Demangle("_Zbroken") == "_Zbroken");
  CHECK(Demangle("") == "");
}

TEST_CASE("a name too long to demangle inside a host stays mangled", "[symbolize][demangle]") {
  const std::string name = "_Z1f" + Repeat("P", kMaxMangledInHost) + "i";
  CHECK(Demangle(name) == name);
  CHECK(Demangle(name, SIZE_MAX) == "f(int" + Repeat("*", kMaxMangledInHost) + ")");
}

TEST_CASE("endless names are cut, never within a letter", "[symbolize][demangle]") {
  const std::string name = Repeat("\xC3\xA4", 4000);
  const std::string cut = Demangle(name);
  CHECK(cut.size() <= kMaxFunctionName);
  CHECK(cut.ends_with("\xA4..."));
}

// A name that says of each part "the part before, twice": its text doubles with every five letters.
std::string Doubling(const std::string& head, const std::string& tail, size_t length) {
  static constexpr char kDigits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
  std::string name = head;
  std::string before = "S0_";
  for (size_t part = 1; name.size() + 16 + tail.size() < length; ++part) {
    name += "S_I" + before + before + "E";
    before = part < 36 ? std::string("S") + kDigits[part] + "_"
                       : std::string("S") + kDigits[part / 36] + kDigits[part % 36] + "_";
  }
  return name + tail;
}

// Without a bound each takes more memory than there is, and then goes on for years.
TEST_CASE("names that stand for more text than there is memory are cut", "[symbolize][demangle]") {
  for (const size_t length : {150, 300, 511}) {
    for (const std::string& name :
         {Doubling("_Z1f1pIiiE", "", length), Doubling("_ZN1a1fI1pIiiEEEv1pIiiE", "", length),
          Doubling("_ZTV1pIiiE", "", length), "_Z1fDTcl" + Doubling("1gIJ1pIiiE", "EEE", length)}) {
      INFO(name);
      CHECK(Demangle(name).size() <= kMaxFunctionName);
    }
    CHECK(Demangle(Doubling("_Z1f1pIiiE", "", length)).starts_with("f(p<int, int>, p<p<int, int>"));
    CHECK(Demangle(Doubling("_Z1f1pIiiE", "", length), SIZE_MAX).ends_with("..."));
  }
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // whose frames are larger
namespace {

// Names that nest as deeply as their length allows, one for each way the demangler recurses.
std::vector<std::string> DeepNames(size_t length) {
  std::vector<std::string> names = {
      "_Z1f" + Repeat("P", length - 5) + "i",
      "_Z1f" + Repeat("A_", length / 2 - 3) + "i",
      "_ZN" + Repeat("1a", (length - 6) / 2) + "Ev",
      "_Z1f" + Repeat("FvP", (length - 8) / 4) + "i" + Repeat("E", (length - 8) / 4),
      "_Z1fI" + Repeat("1aI", (length - 20) / 4) + "i" + Repeat("E", (length - 20) / 4) + "Evv",
      "_Z1fIiEDT" + Repeat("cl", (length - 20) / 3) + "fp_" + Repeat("E", (length - 20) / 3) + "Ev",
  };
  for (const std::string& name : names) REQUIRE(name.size() <= length);
  return names;
}

void* DemangleAll(void* names) {
  for (const std::string& name : *static_cast<const std::vector<std::string>*>(names)) {
    Demangle(name);
  }
  return nullptr;
}

}  // namespace

TEST_CASE("the deepest names stay within the stack promised", "[symbolize][demangle]") {
  constexpr size_t kStack = 4 * 1024 * 1024;
  constexpr unsigned char kUntouched = 0xA5;
  void* const stack =
      mmap(nullptr, kStack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  REQUIRE(stack != MAP_FAILED);
  auto* const bytes = static_cast<unsigned char*>(stack);
  std::fill(bytes, bytes + kStack, kUntouched);
  std::vector<std::string> names = DeepNames(kMaxMangledInHost);
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  REQUIRE(pthread_attr_setstack(&attributes, stack, kStack) == 0);
  pthread_t thread;
  REQUIRE(pthread_create(&thread, &attributes, DemangleAll, &names) == 0);
  pthread_join(thread, nullptr);
  pthread_attr_destroy(&attributes);
  const auto* const deepest =
      std::find_if(bytes, bytes + kStack, [](unsigned char byte) { return byte != kUntouched; });
  CHECK(static_cast<size_t>(bytes + kStack - deepest) < kDemangleStackBytes);
  munmap(stack, kStack);
}
#endif

}  // namespace heapgauge::symbolize
