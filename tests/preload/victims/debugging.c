/* Uses glibc's aids: mtrace, mcheck, and those that the environment asks for.
 *
 * trace:    mtrace; what is not freed is in the log
 * check:    mcheck as the first thing in main, then a write past a block's end
 * over:     a write past a block's end
 * freed:    a second free
 * perturb:  how many blocks were handed out with other contents than the fill */
#include <mcheck.h>

#include "victim.h"

static unsigned char* volatile kept[256];

int main(int argc, char** argv) {
  VICTIM_REQUIRE(argc == 2);
  const char* const how = argv[1];
  if (strcmp(how, "trace") == 0) mtrace();
  if (strcmp(how, "check") == 0 && mcheck(NULL) != 0) puts("too late for mcheck");
  for (int i = 0; i < 256; ++i) kept[i] = malloc(20001 + i);
  for (int i = 0; i < 256; ++i) {
    if (i % 8 != 0) free(kept[i]);
  }
  if (strcmp(how, "over") == 0 || strcmp(how, "check") == 0) {
    for (int i = 0; i < 64; ++i) {
      unsigned char* volatile block = kept[0] = malloc(40);
      block[40] ^= 0x55;
      free(block);
    }
  }
  if (strcmp(how, "freed") == 0) {
    unsigned char* const block = malloc(200);
    free(block);
    free(block);
  }
  if (strcmp(how, "perturb") == 0) {
    int others = 0;
    for (int i = 0; i < 20000; ++i) {
      /* Too large for a thread's cache, whose blocks are handed out as they are. */
      unsigned char* const block = kept[0] = malloc(2000);
      others += block[40] != (unsigned char)~90;
      free(block);
    }
    printf("%d filled otherwise\n", others);
  }
  puts("went on");
  return 0;
}
