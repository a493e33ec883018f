// operator new that can't: std::bad_alloc, the new_handler and the nothrow forms, as without us.
#include <new>
#include <string>

#include "victim.h"

namespace {

volatile size_t g_most = SIZE_MAX / 2;
int g_handled = 0;

void GivesUpAtTheThird() {
  if (++g_handled == 3) throw std::bad_alloc();
}

template <typename Call>
void Say(const char* what, Call call) {
  try {
    void* const block = call();
    printf("%s: %s\n", what, block == nullptr ? "nullptr" : "a block");
  } catch (const std::bad_alloc& problem) {
    printf("%s: %s\n", what, problem.what());
  }
}

void TryAll() {
  constexpr std::align_val_t k64{64};
  Say("new", [] { return ::operator new(g_most); });
  Say("new[]", [] { return ::operator new[](g_most); });
  Say("nothrow new", [] { return ::operator new(g_most, std::nothrow); });
  Say("nothrow new[]", [] { return ::operator new[](g_most, std::nothrow); });
  Say("aligned new", [] { return ::operator new(g_most, k64); });
  Say("aligned nothrow new[]", [] { return ::operator new[](g_most, k64, std::nothrow); });
  Say("std::string", [] {
    static std::string text;
    text.reserve(g_most / 2);
    return static_cast<void*>(text.data());
  });
}

}  // namespace

int main() {
  TryAll();
  std::set_new_handler(GivesUpAtTheThird);
  Say("new with a handler", [] { return ::operator new(g_most); });
  printf("handler called %d times\n", g_handled);
  std::set_new_handler(nullptr);
  TryAll();
  victim_finish();
  return 0;
}
