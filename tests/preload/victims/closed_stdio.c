/* Started with descriptors 0, 1 and 2 closed: the host's own files get these numbers, and keep their contents. */
#include <errno.h>
#include <sys/stat.h>

#include "victim.h"

int main(void) {
  for (int fd = 0; fd < 3; ++fd) VICTIM_REQUIRE(fcntl(fd, F_GETFD) == -1 && errno == EBADF);
  for (int i = 0; i < 1000; ++i) {
    VICTIM_REQUIRE(malloc(3000) != NULL);
    victim_hold(3000);
  }
  heapgauge_status (*write_report)(void) = NULL;
  *(void**)&write_report = victim_api("heapgauge_write_report");
  if (write_report != NULL) VICTIM_REQUIRE(write_report() == HEAPGAUGE_OK);
  for (int fd = 0; fd < 3; ++fd) {
    char name[16];
    snprintf(name, sizeof(name), "own.%d", fd);
    const int own = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);
    if (own != fd) _exit(50 + own);
    VICTIM_REQUIRE(write(own, "mine\n", 5) == 5);
    if (write_report != NULL) VICTIM_REQUIRE(write_report() == HEAPGAUGE_OK);
  }
  for (int fd = 0; fd < 3; ++fd) {
    struct stat info;
    if (fstat(fd, &info) != 0 || info.st_size != 5) _exit(60 + fd);
  }
  victim_finish();
  return 23;
}
