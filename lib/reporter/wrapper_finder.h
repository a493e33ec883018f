// Wrappers by what they do: the program's own allocation functions, under whatever name.
//
// A wrapper is a function through which most of its module's allocation passes, that asks only
// through malloc or other wrappers, and that is called from many functions: its own figures are
// only their sum, and the line that asked is its caller's.
//
// Rules, for a function F of module M, over all that was ever sampled:
//   * F's calls lead to the allocator or to wrappers alone (its callees are no call sites);
//   * half of what M's call sites allocate passes through F, and three functions call it; or nine
//     tenths and two;
//   * it serves its callers with blocks of different sizes: a function that makes one kind of
//     object for many callers is the line that asked.
// Wrappers lie in layers, and an inner one may have the next one for its only caller: F then is a
// wrapper when the function is that the row of only callers leads to, and nothing else passes
// through them.  Beyond the first, each must ask at one line of it: that is how a layer looks, and
// not how a function does that works with what it asked for.
// And they lie beside each other (for memory, for zeroed memory, for copies of texts): functions
// that call the allocator, that have three callers, other sizes and a twentieth each, are wrappers
// together when three quarters pass through them.
//
// Pure: what it says follows from what it was told.
#ifndef HEAPGAUGE_REPORTER_WRAPPER_FINDER_H_
#define HEAPGAUGE_REPORTER_WRAPPER_FINDER_H_

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace heapgauge {

class WrapperFinder final {
 public:
  using FunctionId = uint32_t;

  // What passed through a stack: its functions from the innermost that is no wrapper by name.
  struct Flow {
    std::vector<FunctionId> functions;
    std::vector<uint32_t> lines;  // where each of them calls the one before; empty: not known
    double bytes = 0;             // allocated, ever; estimates
    double objects = 0;
    uint64_t samples = 0;
  };

  // `globs`: names that the user calls wrappers, separated by commas; matched against the
  // qualified name without template arguments and parameters, and without its namespaces.
  explicit WrapperFinder(std::string_view globs);

  // The id of a function of a module ("" has no name and never is a wrapper).
  FunctionId Intern(std::string_view module, std::string_view name);

  bool IsWrapper(FunctionId function) const { return functions_[function].wrapper; }
  // The same by name.
  bool IsWrapper(std::string_view module, std::string_view name) const;

  // Looks again; true when there are more wrappers than before.  None is ever taken back: call
  // sites that move to and fro would have no history.
  bool Find(std::span<const Flow> flows);

 private:
  struct Function {
    std::string module;
    std::string name;
    bool wrapper = false;
  };

  class Search;
  struct Passage;

  bool IsNamed(std::string_view name) const;
  bool FindOnce(std::span<const Flow> flows);

  std::vector<std::string> globs_;
  std::vector<Function> functions_;
  std::unordered_map<std::string, FunctionId> ids_;
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_REPORTER_WRAPPER_FINDER_H_
