/* What lies in a root directory under the name of our command, and leaves a mark beside itself.
 * Linked statically: it would run there. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char** argv) {
  char path[4096];
  const char* const slash = argc > 0 ? strrchr(argv[0], '/') : NULL;
  if (slash == NULL) return 1;
  snprintf(path, sizeof(path), "%.*s/was-run", (int)(slash - argv[0]), argv[0]);
  const int mark = open(path, O_WRONLY | O_CREAT, 0600);
  return mark < 0 || close(mark) != 0;
}
