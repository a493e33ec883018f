#include "nameless.h"

#include <stdlib.h>
#include <string.h>

#define NOINLINE __attribute__((noinline, noclone))
typedef void* (*Get)(size_t);

struct Block {
  struct Block* next;
};

static NOINLINE struct Block* push(struct Block* list, struct Block* block) {
  block->next = list;
  return block;
}

/* Forty ways to ask, each in two functions that no symbol tells. */
#define READER(n)                                                        \
  static NOINLINE struct Block* item##n(struct Block* list, Get get) {   \
    return push(list, get(180 + 5 * n));                                 \
  }                                                                      \
  static NOINLINE struct Block* reader##n(struct Block* list, Get get) { \
    list = item##n(list, get);                                           \
    return push(list, get(120 + 3 * n));                                 \
  }
// clang-format off
#define FIVE(n) READER(n##0) READER(n##1) READER(n##2) READER(n##3) READER(n##4)
FIVE(1) FIVE(2) FIVE(3) FIVE(4) FIVE(5) FIVE(6) FIVE(7) FIVE(8)
// clang-format on
#define NAMES(n) reader##n##0, reader##n##1, reader##n##2, reader##n##3, reader##n##4
    static struct Block* (*const kReaders[])(struct Block*, Get) = {
        NAMES(1), NAMES(2), NAMES(3), NAMES(4), NAMES(5), NAMES(6), NAMES(7), NAMES(8)};

__attribute__((visibility("default"))) void* nameless_build(unsigned kind, Get get) {
  struct Block* list = NULL;
  for (unsigned i = 0; i < 3; ++i) {
    list = kReaders[(kind + 13 * i) % (sizeof kReaders / sizeof *kReaders)](list, get);
  }
  return list;
}

__attribute__((visibility("default"))) void nameless_release(void* document) {
  for (struct Block* block = document; block != NULL;) {
    struct Block* const next = block->next;
    free(block);
    block = next;
  }
}
