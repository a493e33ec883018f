// A C++ plugin for a C host: throws through its own frames, rethrows, loses memory on the way out
// and catches it all.
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

struct Counted {
  int* count;
  std::vector<std::string> texts;
  explicit Counted(int* to) : count(to), texts(3, std::string(500, 'x')) { ++*count; }
  ~Counted() { --*count; }
};

__attribute__((noinline)) void Deeper(int depth, int* alive) {
  const Counted here(alive);
  if (depth == 0) throw std::runtime_error(here.texts[1] + " at the bottom");
  Deeper(depth - 1, alive);
  if (*alive < 0) throw 1;  // not a tail call
}

}  // namespace

extern "C" int plugin_throws(int depth) {
  int alive = 0;
  std::exception_ptr kept;
  try {
    try {
      Deeper(depth, &alive);
    } catch (const std::runtime_error&) {
      kept = std::current_exception();
      throw;
    }
  } catch (const std::exception& problem) {
    if (alive != 0) return 1;
    if (std::string(problem.what()).size() != 514) return 2;
  }
  try {
    std::rethrow_exception(kept);
  } catch (const std::exception&) {
    return 0;
  }
  return 3;
}
