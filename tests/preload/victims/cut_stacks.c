/* Keeps 2 MB: so many per cent by way of a library, the rest itself.
 *   cut_stacks LIBRARY PER_CENT */
#include "victim.h"

__attribute__((noinline)) static void* keep(size_t bytes) {
  void* volatile block = malloc(bytes);
  return block;
}

int main(int argc, char** argv) {
  VICTIM_REQUIRE(argc == 3);
  void* const module = dlopen(argv[1], RTLD_NOW);
  VICTIM_REQUIRE(module != NULL);
  void* (*cut_keep)(size_t);
  *(void**)&cut_keep = dlsym(module, "cut_keep");
  VICTIM_REQUIRE(cut_keep != NULL);
  const int share = atoi(argv[2]);
  for (int i = 0; i < 2000; ++i) {
    VICTIM_REQUIRE((i % 100 < share ? cut_keep : keep)(1000) != NULL);
  }
  return 0;
}
