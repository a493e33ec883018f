/* Starts as root, allocates, has a report made by another thread where argv[2] says so, waits for a
 * byte, gives up what argv[1] says, says so, and waits for the end of its input. */
#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "victim.h"

#define NOBODY 65534

static void* report(void* unused) {
  (void)unused;
  heapgauge_status (*write_report)(void) = NULL;
  *(void**)&write_report = victim_api("heapgauge_write_report");
  if (write_report != NULL) write_report();
  return NULL;
}

static long set_capabilities(uint32_t lower) {
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  const struct __user_cap_data_struct sets[2] = {{lower, lower, 0}, {0, 0, 0}};
  return syscall(SYS_capset, &header, sets);
}

static long give_up(const char* way) {
  const gid_t group = 4711;
  if (strcmp(way, "setresuid") == 0) return setresuid(NOBODY, NOBODY, NOBODY);
  if (strcmp(way, "setuid") == 0) return setuid(NOBODY);
  if (strcmp(way, "setreuid") == 0) return setreuid(NOBODY, NOBODY);
  if (strcmp(way, "setgid") == 0) return setgid(NOBODY);
  if (strcmp(way, "setgroups") == 0) return setgroups(1, &group);
  if (strcmp(way, "all") == 0) return setgroups(0, NULL) || setgid(NOBODY) || setuid(NOBODY);
  if (strcmp(way, "bare_setresuid") == 0) return syscall(SYS_setresuid, NOBODY, NOBODY, NOBODY);
  if (strcmp(way, "bare_setresgid") == 0) return syscall(SYS_setresgid, NOBODY, NOBODY, NOBODY);
  if (strcmp(way, "bare_setgroups") == 0) return syscall(SYS_setgroups, 1, &group);
  if (strcmp(way, "capset") == 0) return set_capabilities(0);
  if (strcmp(way, "capset_in_part") == 0) return set_capabilities(1u << CAP_NET_BIND_SERVICE);
  if (strcmp(way, "no_new_privileges") == 0) return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  if (strcmp(way, "bounding") == 0) return prctl(PR_CAPBSET_DROP, CAP_SYS_ADMIN, 0, 0, 0);
  VICTIM_REQUIRE(strcmp(way, "keeps_capabilities") == 0); /* as named and ntpd do */
  return prctl(PR_SET_KEEPCAPS, 1) || syscall(SYS_setresuid, NOBODY, NOBODY, NOBODY) ||
         set_capabilities(1u << CAP_NET_BIND_SERVICE);
}

static char next_byte(void) {
  char byte = 0;
  ssize_t got;
  while ((got = read(0, &byte, 1)) < 0 && errno == EINTR) {
  }
  return got == 1 ? byte : 0;
}

int main(int argc, char** argv) {
  (void)argc;
  const gid_t some = 27;
  VICTIM_REQUIRE(setgroups(1, &some) == 0); /* so that there is a group to give up */
  for (int i = 0; i < 1000; ++i) VICTIM_REQUIRE(malloc(3000) != NULL);
  pthread_t thread;
  if (strcmp(argv[2], "reporting") == 0)
    VICTIM_REQUIRE(pthread_create(&thread, NULL, report, NULL) == 0);
  VICTIM_REQUIRE(write(1, ".", 1) == 1);
  VICTIM_REQUIRE(next_byte() == 'g');
  VICTIM_REQUIRE(give_up(argv[1]) == 0);
  VICTIM_REQUIRE(write(1, "!", 1) == 1);
  VICTIM_REQUIRE(next_byte() == 0);
  for (int i = 0; i < 1000; ++i) VICTIM_REQUIRE(malloc(3000) != NULL);
  return 0;
}
