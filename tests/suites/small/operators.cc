// Each form of operator new and delete: what fails, what a handler is told, and what a replaced form is given.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <new>

#define REQUIRE(what)                                        \
  do {                                                       \
    if (!(what)) {                                           \
      std::printf("%s:%d: %s\n", __FILE__, __LINE__, #what); \
      std::exit(1);                                          \
    }                                                        \
  } while (0)

static int replaced_new, replaced_delete, handled;
static volatile std::size_t too_much = std::numeric_limits<std::size_t>::max() - 4096;

// The array forms and those that don't throw are to call these two.
void* operator new(std::size_t bytes) {
  ++replaced_new;
  if (void* block = bytes < too_much ? std::malloc(bytes == 0 ? 1 : bytes) : nullptr) return block;
  if (std::get_new_handler() != nullptr) std::get_new_handler()();
  throw std::bad_alloc();
}
void operator delete(void* block) noexcept {
  ++replaced_delete;
  std::free(block);
}

int main() {
  void* volatile block = operator new[](100);
  REQUIRE(replaced_new == 1);
  operator delete[](block);
  REQUIRE(replaced_delete == 1);
  block = operator new(100, std::nothrow);
  REQUIRE(replaced_new == 2);
  operator delete(block, std::nothrow);
  REQUIRE(replaced_delete == 2);
  block = operator new[](100, std::nothrow);
  operator delete[](block, std::size_t{100});
  REQUIRE(replaced_new == 3 && replaced_delete == 3);

  std::set_new_handler([] {
    ++handled;
    std::set_new_handler(nullptr);
    throw std::bad_alloc();
  });
  bool thrown = false;
  try {
    block = operator new[](too_much);
  } catch (const std::bad_alloc&) {
    thrown = true;
  }
  REQUIRE(thrown && handled == 1);
  std::set_new_handler([] {
    ++handled;
    std::set_new_handler(nullptr);
  });
  REQUIRE(operator new (too_much, std::align_val_t{64}, std::nothrow) == nullptr);
  for (std::size_t alignment = 16; alignment <= 1 << 16; alignment *= 2) {
    for (int i = 0; i < 200; ++i) {
      block = operator new (i, std::align_val_t{alignment});
      REQUIRE(reinterpret_cast<std::uintptr_t>(block) % alignment == 0);
      operator delete (block, std::align_val_t{alignment});
    }
  }
  REQUIRE(replaced_delete == 3);
  return 0;
}
