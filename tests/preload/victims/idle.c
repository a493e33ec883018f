/* Hardly allocates: with a large interval nothing is sampled, and then there is no thread, no file, no directory. */
#include <dirent.h>

#include "victim.h"

int main(void) {
  free(malloc(100));
  DIR* const tasks = opendir("/proc/self/task");
  VICTIM_REQUIRE(tasks != NULL);
  int threads = 0;
  for (const struct dirent* entry; (entry = readdir(tasks)) != NULL;)
    threads += entry->d_name[0] != '.';
  closedir(tasks);
  printf("%d thread\n", threads);
  return 0;
}
