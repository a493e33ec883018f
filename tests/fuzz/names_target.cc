// Mangled names, as they stand in symbol tables.
#include <cstdlib>
#include <string>

#include "symbolize/demangle.h"
#include "target.h"

namespace heapgauge::fuzz {

void RunTarget(const uint8_t* data, size_t size) {
  const Guarded name(data, size);
  const std::string text =
      symbolize::Demangle(std::string(name.begin(), name.end()), symbolize::kMaxMangledInHost);
  if (text.size() > symbolize::kMaxFunctionName) std::abort();
}

std::vector<Bytes> Seeds() {
  std::vector<Bytes> seeds;
  for (const char* name :
       {"_ZN4shop4Cart8CheckoutEv", "_ZN4shop5TwiceIiEET_S1_.constprop.0", "_ZTV1a",
        "_ZThn16_N1a1bEv",
        "_ZNSt6vectorIN3abc3defESaIS1_EE17_M_realloc_insertIJRKS1_EEEvN9__gnu_cxx17__normal_"
        "iteratorIP"
        "S1_S3_EEDpOT_",
        "_Z1f1pIiiES_IS0_S0_ES_IS1_S1_ES_IS2_S2_E", "_ZZN1a1bEvENKUlT_E_clIiEEDaS0_",
        "_Z1fIJifdEEvDpT_", "_Z1fIiEDTcl1gfp_EET_", "_ZN1aIXadL_Z1bvEEE1cEv", "_ZGVZ1avE1b",
        "_Z3fooILb1ELi5EEvv", "_Z1fIXsrmC1EEvv", "_Z1fIXsr1aC_EEvv", "_Z1fDTsriCC_Evv",
        "_ZStrsIcSt11char_traitsIcEERSt13basic_istreamIT_T0_ES6_RS3_"}) {
    const std::string text(name);
    seeds.emplace_back(text.begin(), text.end());
  }
  return seeds;
}

}  // namespace heapgauge::fuzz
