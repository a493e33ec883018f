/* The edges of malloc's contract, as C libraries' own tests try them. */
#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REQUIRE(what)                                   \
  do {                                                  \
    if (!(what)) {                                      \
      printf("%s:%d: %s\n", __FILE__, __LINE__, #what); \
      return 1;                                         \
    }                                                   \
  } while (0)

int main(void) {
  void* (*volatile take)(size_t) = malloc;
  void* (*volatile take_zeros)(size_t, size_t) = calloc;
  void* (*volatile change)(void*, size_t) = realloc;
  void* (*volatile change_array)(void*, size_t, size_t) = reallocarray;
  for (int round = 0; round < 2000; ++round) {
    const size_t too_much[] = {SIZE_MAX, SIZE_MAX - 16, (size_t)PTRDIFF_MAX + 1,
                               SIZE_MAX / 2 + 4096};
    for (int i = 0; i < 4; ++i) {
      errno = 0;
      REQUIRE(take(too_much[i]) == NULL && errno == ENOMEM);
      char* const kept = take(10);
      strcpy(kept, "contents");
      errno = 0;
      REQUIRE(change(kept, too_much[i]) == NULL && errno == ENOMEM);
      REQUIRE(change_array(kept, too_much[i] / 8 + 1, 16) == NULL && errno == ENOMEM);
      REQUIRE(strcmp(kept, "contents") == 0);
      free(kept);
    }
    errno = 0;
    REQUIRE(take_zeros(SIZE_MAX / 2, 3) == NULL && errno == ENOMEM);
    REQUIRE(take_zeros(SIZE_MAX / 16 + 2, 16) == NULL && errno == ENOMEM);

    void* const nothing = take(0);
    REQUIRE(nothing != NULL && nothing != take(0));
    errno = 77;
    free(nothing);
    free(NULL);
    REQUIRE(errno == 77);

    unsigned char* block = take_zeros(3, 333);
    for (int i = 0; i < 999; ++i) REQUIRE(block[i] == 0);
    REQUIRE(malloc_usable_size(block) >= 999 && malloc_usable_size(NULL) == 0);
    memset(block, 9, malloc_usable_size(block));
    block = change(block, 200000);
    for (int i = 0; i < 999; ++i) REQUIRE(block[i] == 9);
    block = change(block, 100);
    for (int i = 0; i < 100; ++i) REQUIRE(block[i] == 9);
    REQUIRE(change(block, 0) == NULL);

    void* placed = &placed;
    REQUIRE(posix_memalign(&placed, 3, 10) == EINVAL && posix_memalign(&placed, 4, 10) == EINVAL);
    REQUIRE(posix_memalign(&placed, 16, SIZE_MAX - 100) == ENOMEM && placed == &placed);
    for (size_t alignment = 8; alignment <= 1 << 16; alignment *= 2) {
      REQUIRE(posix_memalign(&placed, alignment, 100) == 0 && (uintptr_t)placed % alignment == 0);
      free(placed);
      placed = aligned_alloc(alignment, alignment);
      REQUIRE(placed != NULL && (uintptr_t)placed % alignment == 0);
      memset(placed, 1, alignment);
      free(placed);
    }
  }
  return 0;
}
