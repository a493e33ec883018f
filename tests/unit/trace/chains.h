// Chains of calls whose true stack is known: every function notes its own return address.
#ifndef HEAPGAUGE_TESTS_UNIT_TRACE_CHAINS_H_
#define HEAPGAUGE_TESTS_UNIT_TRACE_CHAINS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

namespace heapgauge::test {

// Return addresses of the functions now active, outermost first.
struct Shadow {
  std::vector<uintptr_t> frames;
};

class ShadowFrame final {
 public:
  ShadowFrame(Shadow& shadow, void* return_address) : shadow_(shadow) {
    shadow_.frames.push_back(reinterpret_cast<uintptr_t>(return_address));
  }
  ~ShadowFrame() { shadow_.frames.pop_back(); }
  ShadowFrame(const ShadowFrame&) = delete;
  ShadowFrame& operator=(const ShadowFrame&) = delete;

 private:
  Shadow& shadow_;
};

// In the body of a function of a chain.
#define HG_NOTE_FRAME(call) \
  const ::heapgauge::test::ShadowFrame shadow_frame((call).shadow, __builtin_return_address(0))

// What a chain carries inwards; `hook` is called by its innermost function.
struct Call {
  Shadow shadow{};
  void (*hook)(Call&) = nullptr;
  void* context = nullptr;
  size_t depth = 0;  // of the recursive chains
};

struct Chain {
  const char* name;
  void (*run)(Call&);
  bool complete;  // every frame is noted; false where a library's lie between
};

// The chains as compiled with one set of flags.
struct ChainSet {
  const char* name;
  bool frame_pointers;
  const Chain* begin_;
  const Chain* end_;
  const Chain* begin() const { return begin_; }
  const Chain* end() const { return end_; }
};

extern const ChainSet kChains_o0;
extern const ChainSet kChains_o2_frame_pointers;
extern const ChainSet kChains_o2;
extern const ChainSet kChains_o3;
extern const ChainSet kChains_os;

inline const std::vector<const ChainSet*>& AllChainSets() {
  static const std::vector<const ChainSet*> sets{&kChains_o0, &kChains_o2_frame_pointers,
                                                 &kChains_o2, &kChains_o3, &kChains_os};
  return sets;
}

// The chain of this name; all sets have the same ones.
inline const Chain& FindChain(const ChainSet& set, const char* name) {
  const Chain* chain = set.begin();
  while (__builtin_strcmp(chain->name, name) != 0) ++chain;
  return *chain;
}

}  // namespace heapgauge::test

#endif  // HEAPGAUGE_TESTS_UNIT_TRACE_CHAINS_H_
