/* What lies in a root directory under the name of our command.  Linked statically: it would run
 * there. */
#include <fcntl.h>
#include <unistd.h>

int main(void) {
  const int mark = open("/was-run", O_WRONLY | O_CREAT, 0600);
  return mark < 0 || close(mark) != 0;
}
