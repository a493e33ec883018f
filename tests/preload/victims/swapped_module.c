/* Modules that differ in the names of their functions alone, and so put the same return addresses
 * on a stack. */
#include <stdlib.h>

#define JOINED(name, rest) name##rest
#define NAMED(name, rest) JOINED(name, rest)

#ifdef MODULE_PAGES /* of code: others fit into its place and leave some of it free */
#define TEXT(number) #number
#define TEXT_OF(number) TEXT(number)
__asm__(".text\n.skip 4096 * " TEXT_OF(MODULE_PAGES) "\n");
#endif

__attribute__((noinline)) void* NAMED(MODULE_NAME, _keep)(size_t bytes) {
  char* const block = malloc(bytes);
  if (block != NULL) block[0] = 1;
  return block;
}

__attribute__((noinline)) void* module_keep(size_t bytes) {
  char* const block = NAMED(MODULE_NAME, _keep)(bytes);
  if (block != NULL) block[1] = 1;
  return block;
}
