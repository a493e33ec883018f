/* All keys of thread-specific data that a process can have.  One is taken with the library in front: see known.txt. */
#include <limits.h>
#include <pthread.h>
#include <stdio.h>

int main(void) {
  pthread_key_t key;
  int keys = 0;
  while (pthread_key_create(&key, NULL) == 0) ++keys;
  printf("%d\n", keys);
  return keys == PTHREAD_KEYS_MAX ? 0 : 1;
}
