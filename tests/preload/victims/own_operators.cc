// Some forms of operator new and delete of its own; what it leaves out must behave as if written in
// terms of what it has.  Calls every form and says which of its own each call has led to.
//
// OWN_FORMS: bit i is set when form i is defined here.  OWN_HEADER: its own forms keep something
// before each block, so that whoever takes one for malloc's is found out.  OWN_LIBRARY: definitions
// without a program; the driver takes some of them away.
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <new>

enum { kForms = 20 };
extern "C" __attribute__((visibility("default"))) unsigned long own_operator_calls[kForms];

#if OWN_FORMS != 0
unsigned long own_operator_calls[kForms];

namespace {

// Alignment of a block, and what is kept before it where something is.
size_t Room(size_t alignment) noexcept { return alignment < 64 ? 64 : alignment; }
size_t Header(size_t alignment) noexcept { return OWN_HEADER ? Room(alignment) : 0; }

void* Take(int form, size_t bytes, size_t alignment) noexcept {
  ++own_operator_calls[form];
  void* block = nullptr;
  if (bytes > SIZE_MAX / 4) return nullptr;
  const size_t header = Header(alignment);
  if (posix_memalign(&block, Room(alignment), bytes + header) != 0) return nullptr;
  return static_cast<char*>(block) + header;
}

void* TakeOrThrow(int form, size_t bytes, size_t alignment) {
  void* const block = Take(form, bytes, alignment);
  if (block == nullptr) throw std::bad_alloc();
  return block;
}

void Give(int form, void* block, size_t alignment) noexcept {
  ++own_operator_calls[form];
  if (block != nullptr) free(static_cast<char*>(block) - Header(alignment));
}

size_t Of(std::align_val_t alignment) { return static_cast<size_t>(alignment); }

}  // namespace
#endif

#define OWN(form) (((OWN_FORMS) >> (form)) & 1)
using Tag = const std::nothrow_t&;

#if OWN(0)
void* operator new(size_t n) { return TakeOrThrow(0, n, 0); }
#endif
#if OWN(1)
void* operator new(size_t n, Tag) noexcept { return Take(1, n, 0); }
#endif
#if OWN(2)
void* operator new[](size_t n) { return TakeOrThrow(2, n, 0); }
#endif
#if OWN(3)
void* operator new[](size_t n, Tag) noexcept { return Take(3, n, 0); }
#endif
#if OWN(4)
void* operator new(size_t n, std::align_val_t a) { return TakeOrThrow(4, n, Of(a)); }
#endif
#if OWN(5)
void* operator new(size_t n, std::align_val_t a, Tag) noexcept { return Take(5, n, Of(a)); }
#endif
#if OWN(6)
void* operator new[](size_t n, std::align_val_t a) { return TakeOrThrow(6, n, Of(a)); }
#endif
#if OWN(7)
void* operator new[](size_t n, std::align_val_t a, Tag) noexcept { return Take(7, n, Of(a)); }
#endif
#if OWN(8)
void operator delete(void* p) noexcept { Give(8, p, 0); }
#endif
#if OWN(9)
void operator delete(void* p, size_t) noexcept { Give(9, p, 0); }
#endif
#if OWN(10)
void operator delete(void* p, Tag) noexcept { Give(10, p, 0); }
#endif
#if OWN(11)
void operator delete[](void* p) noexcept { Give(11, p, 0); }
#endif
#if OWN(12)
void operator delete[](void* p, size_t) noexcept { Give(12, p, 0); }
#endif
#if OWN(13)
void operator delete[](void* p, Tag) noexcept { Give(13, p, 0); }
#endif
#if OWN(14)
void operator delete(void* p, std::align_val_t a) noexcept { Give(14, p, Of(a)); }
#endif
#if OWN(15)
void operator delete(void* p, size_t, std::align_val_t a) noexcept { Give(15, p, Of(a)); }
#endif
#if OWN(16)
void operator delete(void* p, std::align_val_t a, Tag) noexcept { Give(16, p, Of(a)); }
#endif
#if OWN(17)
void operator delete[](void* p, std::align_val_t a) noexcept { Give(17, p, Of(a)); }
#endif
#if OWN(18)
void operator delete[](void* p, size_t, std::align_val_t a) noexcept { Give(18, p, Of(a)); }
#endif
#if OWN(19)
void operator delete[](void* p, std::align_val_t a, Tag) noexcept { Give(19, p, Of(a)); }
#endif

#ifndef OWN_LIBRARY
namespace {

constexpr std::align_val_t k64{64};
constexpr size_t kMuch = SIZE_MAX / 2;
const std::nothrow_t& no = std::nothrow;
unsigned long* g_calls;
unsigned long g_before[kForms];
void* volatile g_kept[4];

// Which of the program's own forms were called since the last time.
void Say(const char* what) {
  printf("%s:", what);
  for (int form = 0; g_calls != nullptr && form < kForms; ++form) {
    for (unsigned long i = g_before[form]; i < g_calls[form]; ++i) printf(" %d", form);
    g_before[form] = g_calls[form];
  }
  printf("\n");
}

template <typename New>
void* Took(const char* what, size_t bytes, New take) {
  void* block = nullptr;
  try {
    block = take();
  } catch (const std::bad_alloc&) {
    printf("bad_alloc from ");
  }
  if (block != nullptr && bytes <= kMuch / 2) memset(block, 0x5A, bytes);
  if (block == nullptr) printf("nothing from ");
  Say(what);
  return block;
}

template <typename Delete>
void Gave(const char* what, Delete give) {
  give();
  Say(what);
}

void OneRound(size_t n) {
  void* b[8];
  b[0] = Took("new", n, [n] { return ::operator new(n); });
  b[1] = Took("new nothrow", n, [n] { return ::operator new(n, no); });
  b[2] = Took("new[]", n, [n] { return ::operator new[](n); });
  b[3] = Took("new[] nothrow", n, [n] { return ::operator new[](n, no); });
  b[4] = Took("new aligned", n, [n] { return ::operator new(n, k64); });
  b[5] = Took("new aligned nothrow", n, [n] { return ::operator new(n, k64, no); });
  b[6] = Took("new[] aligned", n, [n] { return ::operator new[](n, k64); });
  b[7] = Took("new[] aligned nothrow", n, [n] { return ::operator new[](n, k64, no); });
  Gave("delete", [&] { ::operator delete(b[0]); });
  Gave("delete nothrow", [&] { ::operator delete(b[1], no); });
  Gave("delete[]", [&] { ::operator delete[](b[2]); });
  Gave("delete[] nothrow", [&] { ::operator delete[](b[3], no); });
  Gave("delete aligned", [&] { ::operator delete(b[4], k64); });
  Gave("delete aligned nothrow", [&] { ::operator delete(b[5], k64, no); });
  Gave("delete[] aligned", [&] { ::operator delete[](b[6], k64); });
  Gave("delete[] aligned nothrow", [&] { ::operator delete[](b[7], k64, no); });
  b[0] = Took("new", n, [n] { return ::operator new(n); });
  b[1] = Took("new[]", n, [n] { return ::operator new[](n); });
  b[2] = Took("new aligned", n, [n] { return ::operator new(n, k64); });
  b[3] = Took("new[] aligned", n, [n] { return ::operator new[](n, k64); });
  Gave("delete sized", [&] { ::operator delete(b[0], n); });
  Gave("delete[] sized", [&] { ::operator delete[](b[1], n); });
  Gave("delete aligned sized", [&] { ::operator delete(b[2], n, k64); });
  Gave("delete[] aligned sized", [&] { ::operator delete[](b[3], n, k64); });
}

}  // namespace

int main() {
  g_calls = static_cast<unsigned long*>(dlsym(RTLD_DEFAULT, "own_operator_calls"));
  const size_t sizes[] = {1, 24, 500, 5000, 300000};
  for (size_t n : sizes) OneRound(n);
  Took("too much by new", kMuch, [] { return ::operator new(kMuch); });
  Took("too much by new nothrow", kMuch, [] { return ::operator new(kMuch, no); });
  Took("too much by new[] nothrow", kMuch, [] { return ::operator new[](kMuch, no); });
  Took("too much by new aligned", kMuch, [] { return ::operator new(kMuch, k64); });
  Took("too much by new[] aligned nothrow", kMuch, [] { return ::operator new[](kMuch, k64, no); });
  // For the driver: what was kept is known, whoever's form it went through.
  g_kept[0] = ::operator new(1000000);
  g_kept[1] = ::operator new[](1000000);
  g_kept[2] = ::operator new(1000000, no);
  g_kept[3] = ::operator new[](1000000, k64);
  return 0;
}
#endif
