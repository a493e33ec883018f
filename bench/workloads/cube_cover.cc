// Two-level logic minimisation (the shape of espresso): lists of cubes, each a small block, merged
// until nothing merges.
#include <cstring>
#include <unordered_set>
#include <vector>

#include "workload.h"

namespace {

constexpr int kVariables = 14;

// A product term: `care` says which variables it tests, `value` for what.  Deliberately one block a
// cube.
struct Cube {
  uint32_t care;
  uint32_t value;
  bool merged;
};

struct Hash {
  size_t operator()(const Cube* cube) const {
    return cube->care * 0x9E3779B1U ^ cube->value * 0x85EBCA6BU;
  }
};
struct Same {
  bool operator()(const Cube* a, const Cube* b) const {
    return a->care == b->care && a->value == b->value;
  }
};
using Cover = std::unordered_set<Cube*, Hash, Same>;

// One round of Quine and McCluskey: every pair that differs in one variable becomes one cube with
// that variable gone.
Cover MergeOnce(const Cover& from, std::vector<Cube*>* primes) {
  Cover to;
  for (Cube* cube : from) {
    for (int variable = 0; variable < kVariables; ++variable) {
      const uint32_t bit = 1U << variable;
      if ((cube->care & bit) == 0) continue;
      Cube partner{cube->care, cube->value ^ bit, false};
      const auto found = from.find(&partner);
      if (found == from.end()) continue;
      cube->merged = (*found)->merged = true;
      Cube* const merged = new Cube{cube->care & ~bit, cube->value & ~bit, false};
      if (!to.insert(merged).second) delete merged;
    }
  }
  for (Cube* cube : from) {
    if (!cube->merged) {
      primes->push_back(new Cube(*cube));
    }
    delete cube;
  }
  return to;
}

}  // namespace

int main(int argc, char** argv) {
  const workload::Arguments arguments(argc, argv, 18, 1);
  workload::Random random(7);
  uint64_t result = 0;
  for (long function = 0; function < arguments.scale; ++function) {
    Cover cover;
    const uint64_t density = random.Between(35, 50);
    for (uint32_t minterm = 0; minterm < (1U << kVariables); ++minterm) {
      if (random.Below(100) >= density) continue;
      cover.insert(new Cube{(1U << kVariables) - 1, minterm, false});
    }
    std::vector<Cube*> primes;
    while (!cover.empty()) cover = MergeOnce(cover, &primes);
    for (Cube* prime : primes) {
      result = result * 31 + prime->care + prime->value;
      delete prime;
    }
  }
  // Sets are walked in an order that depends on nothing but the hash above, so the sum is the same
  // everywhere.
  return workload::Finish(result);
}
