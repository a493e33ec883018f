// Scopes of the C++ face where a block is left in other ways than by its end: scoped CASE.  Keeps
// blocks whose labels the test knows, and writes a report.
#include <pthread.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>

#include "heapgauge/heapgauge.hpp"

using heapgauge::Context;
using heapgauge::ScopedCall;
using heapgauge::ScopedContext;
using heapgauge::ScopedLabel;
using heapgauge::ScopedRequest;

extern "C" __attribute__((noinline)) void keep(size_t bytes) {
  static std::atomic<size_t> count{0};
  [[maybe_unused]] static void* volatile kept[100000];
  kept[count++] = std::malloc(bytes);
}

namespace {

void Throw(int depth) {
  const ScopedLabel label("depth", std::to_string(depth).c_str());
  const ScopedCall call("session");
  if (depth == 0) throw std::runtime_error("far in");
  Throw(depth - 1);
}

// Through a hundred scopes, again and again; rethrown; and out of a constructor.
void Exceptions() {
  const ScopedLabel outer("at", "outer");
  for (int i = 0; i < 1000; ++i) {
    try {
      const ScopedRequest request("heapgauge-path=1:gateway");
      try {
        Throw(100);
      } catch (const std::runtime_error&) {
        const ScopedLabel handler("in", "handler");
        throw;
      }
    } catch (const std::exception&) {
    }
  }
  keep(1000);  // at=outer
  struct Half {
    Half() : label("half", "made") { throw 1; }
    ScopedLabel label;
  };
  try {
    const Half half;
  } catch (int) {
  }
  keep(2000);  // at=outer
  try {
    const ScopedLabel label("at", "inner");
    keep(4000);  // at=inner
    throw 2;
  } catch (int) {
    keep(8000);  // at=outer
  }
}

void* Waits(void* ready) {
  const ScopedLabel label("waits", "for ever");
  keep(1000);
  static_cast<std::atomic<bool>*>(ready)->store(true);
  for (;;) pause();
}

void Forget(void*) { keep(10); }

// A thread's last words, after its stack was unwound and its scopes closed.
void* SpeaksLast(void* ready) {
  static pthread_key_t key = [] {
    pthread_key_t made;
    pthread_key_create(&made, Forget);
    return made;
  }();
  pthread_setspecific(key, ready);
  return Waits(ready);
}

void Cancels() {
  for (int i = 0; i < 20; ++i) {
    std::atomic<bool> ready{false};
    pthread_t thread;
    if (pthread_create(&thread, nullptr, SpeaksLast, &ready) != 0) std::_Exit(4);
    while (!ready.load()) usleep(100);
    pthread_cancel(thread);
    pthread_join(thread, nullptr);
  }
  keep(4000);
}

void* Enters(void* context) {
  try {
    const ScopedContext entered(*static_cast<Context*>(context));
    keep(1000);
    throw 1;
  } catch (int) {
    keep(2000);  // no label
  }
  return nullptr;
}

// Work that is handed to a thread which leaves it by an exception.
void HandsOver() {
  Context* context = nullptr;
  {
    const ScopedLabel label("route", "/cart");
    context = new Context;
  }
  pthread_t thread;
  if (pthread_create(&thread, nullptr, Enters, context) != 0) std::_Exit(4);
  pthread_join(thread, nullptr);
  keep(4000);  // no label
  delete context;
}

}  // namespace

int main(int argc, char** argv) {
  const char* const wanted = argc > 1 ? argv[1] : "";
  if (std::strcmp(wanted, "exceptions") == 0) Exceptions();
  if (std::strcmp(wanted, "cancels") == 0) Cancels();
  if (std::strcmp(wanted, "hands_over") == 0) HandsOver();
  return heapgauge_write_report() == HEAPGAUGE_OK ? 0 : 3;
}
