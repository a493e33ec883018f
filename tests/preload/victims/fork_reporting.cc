// fork at the worst moments: while the report thread makes a report, from its very first one on.
// Children use what its locks could block: the loader (dlopen, dladdr, exceptions), malloc, stdio,
// and a report of their own.
#include <dlfcn.h>
#include <link.h>
#include <pthread.h>
#include <sys/wait.h>
#include <time.h>

#include <stdexcept>
#include <string>
#include <vector>

#include "victim.h"

namespace {

bool g_stop = false;

// Keeps the report thread busy: one report after the other.
void* Reports(void* argument) {
  heapgauge_status (*write_report)() = nullptr;
  *reinterpret_cast<void**>(&write_report) = victim_api("heapgauge_write_report");
  while (!__atomic_load_n(&g_stop, __ATOMIC_RELAXED)) {
    if (write_report != nullptr) {
      VICTIM_REQUIRE(write_report() == HEAPGAUGE_OK);
    } else {
      usleep(1000);
    }
  }
  return argument;
}

void Child(int number) {
  std::vector<std::string> kept;
  for (int i = 0; i < 50; ++i) kept.push_back(std::string(3000, 'x'));
  try {
    throw std::runtime_error(kept[0]);
  } catch (const std::exception& problem) {
    VICTIM_REQUIRE(strlen(problem.what()) == 3000);
  }
  // glibc does not mend the lock of the time zones in a child, nor that of the list of modules.
  const time_t now = time(nullptr);
  VICTIM_REQUIRE(localtime(&now) != nullptr);
  int modules = 0;
  dl_iterate_phdr(
      [](dl_phdr_info*, size_t, void* count) {
        ++*static_cast<int*>(count);
        return 0;
      },
      &modules);
  VICTIM_REQUIRE(modules > 3);
  void* const library = dlopen("libm.so.6", RTLD_NOW);
  VICTIM_REQUIRE(library != nullptr && dlsym(library, "cos") != nullptr);
  Dl_info info;
  VICTIM_REQUIRE(dladdr(dlsym(library, "cos"), &info) != 0);
  dlclose(library);
  if (number % 4 == 0) {
    heapgauge_status (*write_report)() = nullptr;
    *reinterpret_cast<void**>(&write_report) = victim_api("heapgauge_write_report");
    if (write_report != nullptr) VICTIM_REQUIRE(write_report() == HEAPGAUGE_OK);
  }
  if (number % 4 < 2) _exit(0);
  exit(0);
}

}  // namespace

int main() {
  // Something to report.
  std::vector<std::string> kept;
  for (int i = 0; i < 2000; ++i) kept.push_back(std::string(1000, 'y'));
  pthread_t thread;
  VICTIM_REQUIRE(pthread_create(&thread, nullptr, Reports, nullptr) == 0);
  for (int i = 0; i < 60; ++i) {
    const pid_t pid = fork();
    VICTIM_REQUIRE(pid >= 0);
    if (pid == 0) Child(i);
    int status;
    VICTIM_REQUIRE(waitpid(pid, &status, 0) == pid);
    VICTIM_REQUIRE(status == 0);
  }
  __atomic_store_n(&g_stop, true, __ATOMIC_RELAXED);
  pthread_join(thread, nullptr);
  puts("all children came back");
  return 0;
}
