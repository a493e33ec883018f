/* The heap under its other names: those of the C library, jemalloc, tcmalloc and mimalloc, called by weak reference
 * (which must say who is there, as bare) or by what dlsym() and dlvsym() find, and mixed with malloc and free. */
#include <malloc.h>

#include "victim.h"

enum { kRounds = 300 };

#define WEAK extern __attribute__((weak))
typedef size_t Size;
extern void *__libc_malloc(Size), *__libc_calloc(Size, Size), *__libc_realloc(void*, Size),
    *__libc_memalign(Size, Size);
extern void __libc_free(void*);
WEAK void *mallocx(Size, int), *rallocx(void*, Size, int);
WEAK Size xallocx(void*, Size, Size, int), sallocx(const void*, int), nallocx(Size, int);
WEAK void dallocx(void*, int), sdallocx(void*, Size, int);
WEAK int mallctl(const char*, void*, Size*, void*, Size);
WEAK void *tc_malloc(Size), *tc_calloc(Size, Size), *tc_realloc(void*, Size),
    *tc_memalign(Size, Size), *tc_new(Size), *tc_newarray_aligned(Size, Size);
WEAK int tc_posix_memalign(void**, Size, Size);
WEAK void tc_free(void*), tc_cfree(void*), tc_free_sized(void*, Size), tc_delete(void*),
    tc_delete_sized(void*, Size), tc_deletearray_sized_aligned(void*, Size, Size);
WEAK Size tc_malloc_size(void*);
WEAK void *mi_malloc(Size), *mi_zalloc(Size), *mi_calloc(Size, Size), *mi_realloc(void*, Size),
    *mi_mallocn(Size, Size), *mi_reallocn(void*, Size, Size), *mi_reallocf(void*, Size),
    *mi_rezalloc(void*, Size), *mi_recalloc(void*, Size, Size), *mi_malloc_aligned(Size, Size),
    *mi_zalloc_aligned_at(Size, Size, Size), *mi_realloc_aligned(void*, Size, Size),
    *mi_calloc_aligned_at(Size, Size, Size, Size), *mi_new(Size), *mi_new_aligned(Size, Size),
    *mi_new_realloc(void*, Size), *mi_expand(void*, Size),
    *mi_recalloc_aligned_at(void*, Size, Size, Size, Size);
WEAK int mi_reallocarr(void*, Size, Size);
WEAK char *mi_strdup(const char*), *mi_strndup(const char*, Size);
WEAK void mi_free(void*), mi_free_size(void*, Size), mi_free_size_aligned(void*, Size, Size),
    mi_free_aligned(void*, Size);

#define ALIGN(log) (log)
#define ZERO 0x40
#define TCACHE_NONE (1 << 8)
#define ARENA(a) (((a) + 1) << 20)

static void* use(void* block, Size bytes) {
  VICTIM_REQUIRE(block != NULL);
  VICTIM_REQUIRE(malloc_usable_size(block) >= bytes);
  memset(block, 0x5A, bytes);
  victim_hold(bytes);
  return block;
}

static void* use_zero(void* block, Size bytes) {
  for (Size i = 0; block != NULL && i < bytes; ++i) VICTIM_REQUIRE(((char*)block)[i] == 0);
  return use(block, bytes);
}

static void* resized(void* block, Size before, Size bytes) {
  VICTIM_REQUIRE(block != NULL);
  for (Size i = 0; i < before && i < bytes; ++i) VICTIM_REQUIRE(((char*)block)[i] == 0x5A);
  victim_drop(before);
  return use(block, bytes);
}

static void with_libc(Size n, int last) {
  void* a = use(__libc_malloc(n), n);
  void* b = use_zero(__libc_calloc(3, n), 3 * n);
  void* c = use(__libc_memalign(64, n), n);
  void* d = use(malloc(n), n);
  a = resized(__libc_realloc(a, 2 * n), n, 2 * n);
  a = resized(realloc(a, 5 * n), 2 * n, 5 * n);
  __libc_free(d), victim_drop(n);
  free(c), victim_drop(n);
  if (!last) __libc_free(a), __libc_free(b), victim_drop(5 * n), victim_drop(3 * n);
}

static void with_jemalloc(Size n, int last) {
  static unsigned arena;
  if (arena == 0) {
    Size size = sizeof(arena);
    VICTIM_REQUIRE(mallctl("arenas.create", &arena, &size, NULL, 0) == 0);
  }
  /* Plain malloc, released by size: what the allocator takes for its size must be what it is. */
  for (int i = 0; i < 50; ++i) {
    const Size bytes = n + 37 * (Size)i;
    void* const block = use(malloc(bytes), bytes);
    VICTIM_REQUIRE(sallocx(block, 0) == nallocx(bytes, 0));
    sdallocx(block, bytes, 0), victim_drop(bytes);
  }
  void* a = use_zero(mallocx(n, ZERO), n);
  void* b = use(mallocx(n, ALIGN(13)), n);
  void* c = use(mallocx(n, ARENA(arena) | TCACHE_NONE), n);
  void* d = use_zero(calloc(1, n), n);
  VICTIM_REQUIRE((uintptr_t)b % 8192 == 0);
  a = resized(rallocx(a, 3 * n, 0), n, 3 * n);
  const Size before = sallocx(a, 0);
  const Size real =
      xallocx(a, before, 0, 0); /* to the end of its class: never moves, never fails */
  VICTIM_REQUIRE(real == before);
  victim_drop(3 * n), victim_hold(before);
  d = resized(rallocx(d, 2 * n, ALIGN(6)), n, 2 * n);
  VICTIM_REQUIRE(xallocx(d, 1 << 20, 0, 0) < 1 << 20);
  sdallocx(b, n, ALIGN(13)), victim_drop(n);
  dallocx(c, ARENA(arena) | TCACHE_NONE), victim_drop(n);
  if (!last) dallocx(a, 0), free(d), victim_drop(before), victim_drop(2 * n);
}

static void with_tcmalloc(Size n, int last) {
  void* block = NULL;
  void* a = use(tc_malloc(n), n);
  void* b = use_zero(tc_calloc(1, n), n);
  void* c = use(tc_memalign(128, n), n);
  void* d = use(tc_new(n), n);
  void* e = use(tc_newarray_aligned(n, 64), n);
  VICTIM_REQUIRE(tc_posix_memalign(&block, 256, n) == 0);
  use(block, n);
  VICTIM_REQUIRE(tc_malloc_size(a) >= n);
  a = resized(tc_realloc(a, 4 * n), n, 4 * n);
  tc_deletearray_sized_aligned(e, n, 64), tc_cfree(c), free(block);
  victim_drop(n), victim_drop(n), victim_drop(n);
  for (int i = 0; i < 50; ++i) {
    const Size bytes = n + 37 * (Size)i;
    void* const sized = use(malloc(bytes), bytes);
    if (i % 2 != 0)
      tc_free_sized(sized, bytes);
    else
      tc_delete_sized(sized, bytes);
    victim_drop(bytes);
  }
  if (!last)
    tc_free(a), tc_free(b), tc_delete(d), victim_drop(4 * n), victim_drop(n), victim_drop(n);
}

static void with_mimalloc(Size n, int last) {
  void* a = use(mi_malloc(n), n);
  void* b = use_zero(mi_zalloc(n), n);
  void* c = use_zero(mi_calloc(1, n), n);
  void* d = use(mi_new(n), n);
  void* e = use(mi_malloc_aligned(n, 64), n);
  void* f = use(mi_mallocn(2, n), 2 * n);
  void* g = use_zero(mi_zalloc_aligned_at(n, 64, 8), n);
  void* h = use(mi_new_aligned(n, 256), n);
  void* i = use(mi_calloc_aligned_at(1, n, 64, 16), n);
  char* text = mi_strdup("a string that is copied");
  victim_hold(strlen(text) + 1);
  char* part = mi_strndup(text, 8);
  VICTIM_REQUIRE(strcmp(part, "a string") == 0);
  victim_hold(9);
  a = resized(mi_realloc(a, 3 * n), n, 3 * n);
  a = resized(mi_reallocn(a, 2, 2 * n), 3 * n, 4 * n);
  a = resized(mi_reallocf(a, 5 * n), 4 * n, 5 * n);
  b = resized(mi_rezalloc(b, 2 * n), n, 2 * n);
  c = resized(mi_recalloc(c, 4, n), n, 4 * n);
  e = resized(mi_realloc_aligned(e, 3 * n, 64), n, 3 * n);
  d = resized(mi_new_realloc(d, 6 * n), n, 6 * n);
  i = resized(mi_recalloc_aligned_at(i, 2, n, 64, 16), n, 2 * n);
  VICTIM_REQUIRE(mi_expand(f, 64 * n + 100000) == NULL);
  VICTIM_REQUIRE(mi_reallocarr(&f, 3, n) == 0);
  f = resized(f, 2 * n, 3 * n);
  mi_free_aligned(g, 64), free(h), mi_free_size(text, strlen(text) + 1), mi_free(part);
  victim_drop(n), victim_drop(n), victim_drop(24), victim_drop(9);
  mi_free_size_aligned(e, 3 * n, 64), mi_free(d), mi_free(i);
  victim_drop(3 * n), victim_drop(6 * n), victim_drop(2 * n);
  void* p = use(malloc(n), n);
  mi_free_size(p, n), victim_drop(n);
  if (!last) {
    mi_free(a), mi_free(b), mi_free(c), mi_free(f);
    victim_drop(5 * n), victim_drop(2 * n), victim_drop(4 * n), victim_drop(3 * n);
  }
}

/* What is found by name, of any handle, allocates and releases the same blocks. */
static void looked_up(const char* file, const char* takes, const char* gives) {
  void* const handles[] = {RTLD_DEFAULT, dlopen(NULL, RTLD_NOW),
                           file != NULL ? dlopen(file, RTLD_NOW) : NULL};
  for (int i = 0; i < 3; ++i) {
    if (i == 2 && file == NULL) break;
    void* (*take)(Size) = NULL;
    void (*give)(void*) = NULL;
    *(void**)&take = dlsym(handles[i], takes);
    *(void**)&give = dlsym(handles[i], gives);
    VICTIM_REQUIRE(take != NULL && give != NULL);
    for (Size n = 100; n < 30000; n += 97) {
      void* const a = use(take(n), n);
      void* const b = use(malloc(n), n);
      if (n % 7 != 0) give(a), victim_drop(n);
      give(b), victim_drop(n);
    }
  }
}

int main(int argc, char** argv) {
  const char* const family = argc > 1 ? argv[1] : "libc";
  printf("there: jemalloc %d%d, tcmalloc %d, mimalloc %d\n", sdallocx != NULL, mallocx != NULL,
         tc_free != NULL, mi_free != NULL);
  printf("found: jemalloc %d, tcmalloc %d, mimalloc %d\n", dlsym(RTLD_DEFAULT, "sdallocx") != NULL,
         dlsym(RTLD_DEFAULT, "tc_free") != NULL, dlsym(RTLD_DEFAULT, "mi_free") != NULL);
  VICTIM_REQUIRE(dlsym(RTLD_DEFAULT, "no_such_name") == NULL && dlerror() != NULL);
  VICTIM_REQUIRE(dlsym(dlopen(NULL, RTLD_NOW), "no_such_name") == NULL && dlerror() != NULL);
  for (int round = 0; round < kRounds; ++round) {
    const Size n = (Size)round * 29 + 1;
    const int last = round >= kRounds - 5;
    if (strcmp(family, "libc") == 0) with_libc(n, last);
    if (strcmp(family, "jemalloc") == 0) with_jemalloc(n, last);
    if (strcmp(family, "tcmalloc") == 0) with_tcmalloc(n, last);
    if (strcmp(family, "mimalloc") == 0) with_mimalloc(n, last);
  }
  victim_check("by reference");
  if (strcmp(family, "libc") == 0) {
    looked_up("libc.so.6", "malloc", "free");
    looked_up("libc.so.6", "malloc", "__libc_free");
    looked_up("libc.so.6", "__libc_malloc", "free");
    void (*give)(void*) = NULL;
    *(void**)&give = dlvsym(dlopen("libc.so.6", RTLD_NOW), "free", "GLIBC_2.2.5");
    for (Size n = 1; give != NULL && n < 3000; ++n) {
      void* const block = use(malloc(n), n);
      give(block), victim_drop(n);
    }
  }
  if (strcmp(family, "tcmalloc") == 0)
    looked_up("libtcmalloc_minimal.so.4", "tc_malloc", "tc_free");
  if (strcmp(family, "mimalloc") == 0) looked_up("libmimalloc.so.2", "mi_malloc", "mi_free");
  if (strcmp(family, "jemalloc") == 0) looked_up("libjemalloc.so.2", "malloc", "free");
  victim_finish();
  puts("other names done");
  return 0;
}
