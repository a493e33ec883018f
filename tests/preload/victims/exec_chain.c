/* A program that replaces itself, with malloc'ed memory in hand, ten times; the last image reports. */
#include "victim.h"

int main(int argc, char** argv) {
  const int left = argc > 1 ? atoi(argv[1]) : 10;
  for (int i = 0; i < 100; ++i) {
    VICTIM_REQUIRE(malloc(3000) != NULL);
    victim_hold(3000);
  }
  if (left > 0) {
    char text[16];
    snprintf(text, sizeof(text), "%d", left - 1);
    char* const next[] = {argv[0], text, NULL};
    execv("/proc/self/exe", next);
    return 9;
  }
  victim_finish();
  puts("end of the chain");
  return 21;
}
