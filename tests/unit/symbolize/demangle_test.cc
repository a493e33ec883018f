#include "symbolize/demangle.h"

#include <pthread.h>
#include <sys/mman.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <vector>

#include "unit/symbolize/repeat.h"

namespace heapgauge::symbolize {

TEST_CASE("C++ names are demangled, others stay as they are", "[symbolize][demangle]") {
  CHECK(Demangle("_ZN4shop4Cart8CheckoutEv") == "shop::Cart::Checkout()");
  CHECK(Demangle("_ZN4shop5TwiceIiEET_S1_.constprop.0") ==
        "int shop::Twice<int>(int) [clone .constprop.0]");
  CHECK(Demangle("main") == "main");
  CHECK(Demangle("f") == "f");  // as a type it would be "float"
  CHECK(Demangle("_Zbroken") == "_Zbroken");
  CHECK(Demangle("") == "");
}

TEST_CASE("symbols that read like C++ names are known to be none", "[symbolize][demangle]") {
  for (const std::string symbol : {"a(b)", "f<int>", "f()::{x}", "x y", "touch x(y)"}) {
    CHECK(IsVerbatim(symbol, Demangle(symbol)));
  }
  for (const std::string symbol : {"main", "free_page.part.0", "_Zbroken", "malloc@@GLIBC_2.2.5",
                                   "_ZN4shop4Cart8CheckoutEv", "_Z1aP1b"}) {
    CHECK_FALSE(IsVerbatim(symbol, Demangle(symbol)));
  }
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

TEST_CASE("Rust's older names lose their hash and their escapes", "[symbolize][demangle]") {
  CHECK(Demangle("_ZN7mycrate4Cart8checkout17h0123456789abcdefE") == "mycrate::Cart::checkout");
  CHECK(Demangle("_ZN5alloc3vec16Vec$LT$T$C$A$GT$4push17h00112233445566ffE.llvm.1234") ==
        "alloc::vec::Vec<T,A>::push");
  CHECK(Demangle("_ZN60_$LT$alloc..string..String$u20$as$u20$core..fmt..Display$GT$3fmt"
                 "17h0123456789abcdefE") == "<alloc::string::String as core::fmt::Display>::fmt");
  CHECK(Demangle("_ZN6$XX$1f17h0123456789abcdefE") == "$XX$1f");
  CHECK(Demangle("_ZN4main28_$u7b$$u7b$closure$u7d$$u7d$17h0123456789abcdefE") ==
        "main::{{closure}}");
  // C++ with a part of that form is C++; no escape makes a control character.
  CHECK(Demangle("_ZN4shop17h0123456789abcdefEv") == "shop::h0123456789abcdef()");
  CHECK(Demangle("_ZN5$u1b$17h0123456789abcdefE") == "$u1b$");
  for (const char* damaged :
       {"_ZN999999999999999999999a17h", "_ZN4ab", "_ZN1a17h0123456789abcdef", "_ZNE"}) {
    INFO(damaged);
    CHECK(Demangle(damaged) == damaged);
  }
}

// Both C++ demanglers of a Linux system loop over these for ever.
TEST_CASE("a name that could take for ever stays mangled", "[symbolize][demangle]") {
  for (const std::string name :
       {"_Z1fIXsr1aC_EEvv", "_Z1fIXsrC_EEvv", "_Z1fIXsrssssC_EEvv", "_Z1fDTsriCC_Evv",
        "_Z1fIiEDTsr1aC_ET_", "_Z1fIXadL_Z2bvAsrssC_EEvv", "_Z1fA_A1_Asr1aC__i",
        "_Z1fIXsrssssssssssssssssmmmmC_EEvv", "_Z1fIXsr1aD9EEvv", "_Z1fIXsr1aUaEEvv",
        "_Z1fIXsr1aDCEEvv", "_Z1fIXsr1aC"}) {
    INFO(name);
    CHECK(Demangle(name) == name);
    CHECK(Demangle(name + ".constprop.0") == name + ".constprop.0");
    CHECK(NeedsHelperToRead(name));
  }
  // Their kind, not all expressions, nor all that has these letters.
  CHECK(Demangle("_ZN1aIXadL_Z1bvEEE1cEv") == "a<&(b())>::c()");
  CHECK(Demangle("_Z1fIiEDTcl1gfp_EET_") == "decltype (g({parm#1})) f<int>(int)");
  CHECK(Demangle("_ZN3usr5srcAXC1Ev") == "usr::srcAX::srcAX()");
  CHECK(Demangle("_Z1fIiENSt9enable_ifIXsrSt7is_sameIT_iE5valueEvE4typeET_") ==
        "std::enable_if<std::is_same<int, int>::value, void>::type f<int>(int)");
}

TEST_CASE("who can read a name", "[symbolize][demangle]") {
  CHECK(NeedsHelperToRead("_Z1f" + Repeat("P", kMaxMangledInHost) + "i"));
  CHECK(NeedsHelperToRead("_RNvNtCs1234_7mycrate3foo3bar"));
  CHECK_FALSE(NeedsHelperToRead("_ZN4shop4Cart8CheckoutEv"));
  CHECK_FALSE(NeedsHelperToRead(Repeat("long_c_name", 100)));
  CHECK_FALSE(NeedsHelperToRead("_R"));
  CHECK_FALSE(NeedsHelperToRead("_Reset"));
}

TEST_CASE("what is too long to show loses what stands in brackets", "[symbolize][demangle]") {
  const std::string letters = "90" + Repeat("abcdefghi", 10);
  const std::string many = letters + Repeat("S1_", 60);
  CHECK(Demangle("_ZN4shop5IndexI" + many + "E3AddEv", SIZE_MAX) == "shop::Index<...>::Add()");
  CHECK(Demangle("_ZN4shop12_GLOBAL__N_13AddI" + letters + Repeat("S2_", 60) + "EEvv", SIZE_MAX) ==
        "void shop::(anonymous namespace)::Add<...>()");
  CHECK(Demangle("_ZN4shopltI" + many + "EEbii", SIZE_MAX) == "bool shop::operator< <...>(...)");
  CHECK(Demangle("_ZN4shop5IndexI" + many + "EclEi", SIZE_MAX) ==
        "shop::Index<...>::operator()(...)");
  CHECK(Demangle("_ZN4shop5IndexI" + many + "EptEv", SIZE_MAX) == "shop::Index<...>::operator->()");
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
