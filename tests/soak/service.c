// A small service for heapgauge soak: each connection is a request, which allocates, answers "k" and frees.
//
//   service PORT [keep=BYTES] [every=N] [workers=N] [daemon] [deaf] [silent] [dies=N] [once=N]
//
// keep    BYTES stay behind, in blocks of 64 bytes, at each `every`-th request     deaf    ignores SIGTERM
// workers forks N processes that accept                                            silent  never listens
// daemon  goes into the background as soon as it listens                           dies    aborts at the N-th request
// once    the first N requests of a process leave 1 KiB each, as a cache does
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

struct Kept {
  struct Kept* next;
  char rest[56];
};
static struct Kept* all;

static struct { long keep, every, workers, daemon, deaf, silent, dies, once; } wish = {.every = 1};

// Most of what is made here dies: the share that stays is the same however fast requests come.
__attribute__((noinline)) static void KeepForEver(long bytes) {
  enum { kMade = 8 };
  for (long i = 0; bytes > 0; ++i) {
    struct Kept* made = malloc(sizeof(struct Kept));
    if (made == NULL) abort();
    if (i % kMade != 0) {
      free(made);
      continue;
    }
    made->next = all;
    all = made;
    bytes -= (long)sizeof(struct Kept);
  }
}

__attribute__((noinline)) static void FillCache(void) {
  struct Kept* entry = malloc(1024);
  if (entry == NULL) abort();
  entry->next = all;
  all = entry;
}

__attribute__((noinline)) static void Work(void) {
  void* blocks[64];
  for (int i = 0; i < 64; ++i) blocks[i] = malloc(512);
  for (int i = 0; i < 64; ++i) free(blocks[i]);
}

static void Serve(int listener) {
  for (long number = 1;; ++number) {
    const int client = accept(listener, NULL, NULL);
    if (client < 0) continue;
    if (number == wish.dies) abort();
    Work();
    if (wish.keep > 0 && number % wish.every == 0) KeepForEver(wish.keep);
    if (number <= wish.once) FillCache();
    if (write(client, "k", 1) != 1) number += 0;
    close(client);
  }
}

static void Wish(const char* text) {
  const char* value = strchr(text, '=');
  const long number = value == NULL ? 1 : atol(value + 1);
  if (strncmp(text, "keep", 4) == 0) wish.keep = number;
  if (strncmp(text, "every", 5) == 0) wish.every = number;
  if (strncmp(text, "workers", 7) == 0) wish.workers = number;
  if (strncmp(text, "daemon", 6) == 0) wish.daemon = number;
  if (strncmp(text, "deaf", 4) == 0) wish.deaf = number;
  if (strncmp(text, "silent", 6) == 0) wish.silent = number;
  if (strncmp(text, "dies", 4) == 0) wish.dies = number;
  if (strncmp(text, "once", 4) == 0) wish.once = number;
}

static int Listen(int port) {
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  const int yes = 1;
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
  if (bind(listener, (struct sockaddr*)&address, sizeof(address)) != 0 ||
      listen(listener, 64) != 0) {
    perror("service: cannot listen");
    exit(1);
  }
  return listener;
}

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  for (int i = 2; i < argc; ++i) Wish(argv[i]);
  if (wish.deaf) signal(SIGTERM, SIG_IGN);
  signal(SIGPIPE, SIG_IGN);
  void* volatile large = calloc(1, 4 << 20);  // so that every process of it has a sample
  if (wish.silent) {
    puts("service: in no hurry");
    fflush(stdout);
    for (;;) pause();
  }
  const int listener = Listen(atoi(argv[1]));
  puts("service: ready");
  fflush(stdout);
  if (wish.daemon && daemon(1, 0) != 0) return 1;
  if (wish.workers == 0) Serve(listener);
  for (long i = 0; i < wish.workers; ++i) {
    const pid_t pid = fork();
    if (pid != 0) continue;
    free(large);
    large = calloc(1, 4 << 20);
    Serve(listener);
  }
  for (;;) pause();
}
