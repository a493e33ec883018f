// Loaded by programs that are no C++: it throws, catches what its own callee and a standard
// function throw, and tells how often.  Its blocks are of every size that a pool keeps apart.
#include <exception>
#include <future>
#include <new>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

[[noreturn]] __attribute__((noinline)) void Throw(int depth) {
  const std::string text(static_cast<size_t>(depth) * 40 + 20, 'x');
  if (depth > 0) Throw(depth - 1);
  throw std::runtime_error(text);
}

int CatchAll(int count) {
  int caught = 0;
  for (int i = 0; i < count; ++i) {
    try {
      Throw(i % 20);
    } catch (const std::exception& error) {
      caught += error.what()[0] == 'x' ? 1 : 0;
    }
    try {
      std::vector<int> few(3);
      few.at(static_cast<size_t>(i) + 3) = 1;
    } catch (const std::out_of_range&) {
      ++caught;
    }
    try {
      try {
        throw std::bad_alloc();
      } catch (...) {
        std::throw_with_nested(std::logic_error("outer"));
      }
    } catch (const std::logic_error& error) {
      try {
        std::rethrow_if_nested(error);
      } catch (const std::bad_alloc&) {
        ++caught;
      }
    }
  }
  return caught;
}

}  // namespace

extern "C" int plugin_catches(int count) { return CatchAll(count); }

extern "C" int plugin_catches_in_threads(int threads, int count) {
  std::vector<std::future<int>> results;
  for (int i = 0; i < threads; ++i) {
    results.push_back(std::async(std::launch::async, [count] {
      const int caught = CatchAll(count);
      // Carried over to the thread that asks.
      if (caught >= 0) throw caught;
      return 0;
    }));
  }
  int caught = 0;
  for (std::future<int>& result : results) {
    try {
      result.get();
    } catch (int number) {
      caught += number;
    }
  }
  return caught;
}

// Its caller is C and knows no exceptions.
extern "C" int plugin_calls_back(void (*callee)(int), int count) {
  int caught = 0;
  for (int i = 0; i < count; ++i) {
    try {
      callee(i);
      throw i;
    } catch (int number) {
      caught += number == i ? 1 : 0;
    }
  }
  return caught;
}
