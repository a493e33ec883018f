/* A program that publishes OpenTelemetry's thread context and process context (OTEP 4947 and 4719), well and badly, and
 * keeps blocks whose labels the test knows: context_victim CASE [LIBRARY].  The variable is the program's own, a
 * library's that is there from the start, or that of LIBRARY, which is loaded later. */
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "context_writer.h"
#include "heapgauge/heapgauge.h"

#define REQUIRE(condition)                                                          \
  do {                                                                              \
    if (!(condition)) {                                                             \
      fprintf(stderr, "%s:%d: %s does not hold\n", __FILE__, __LINE__, #condition); \
      _exit(4);                                                                     \
    }                                                                               \
  } while (0)

enum { kPage = 4096 };

static void* kept[100000];
static size_t kept_count;
static void (*publish)(struct context_record*);
static const char* library;
static void* volatile handle; /* of the library */

static __attribute__((noinline)) void keep(size_t bytes) {
  void* const block = malloc(bytes);
  REQUIRE(block != NULL);
  kept[__atomic_fetch_add(&kept_count, 1, __ATOMIC_RELAXED)] = block;
}

static void report(void) { REQUIRE(heapgauge_write_report() == HEAPGAUGE_OK); }

#ifdef CONTEXT_IN_PROGRAM
static void find_writer(void) { publish = publish_context; }
#else
static void find_writer(void) {
  if (library != NULL) {
    handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
    if (handle == NULL) fprintf(stderr, "%s\n", dlerror());
    REQUIRE(handle != NULL);
  }
  *(void**)&publish =
      library != NULL ? dlsym(handle, "publish_context") : dlsym(RTLD_DEFAULT, "publish_context");
  REQUIRE(publish != NULL);
}
#endif

/* The process context: the names behind the keys' numbers. */
struct process_context {
  char signature[8];
  uint32_t version;
  uint32_t payload_bytes;
  uint64_t published_ns;
  uint64_t payload;
};

static struct process_context* process_context;
static char payload[2048];

static size_t put_bytes(char* to, unsigned field, const char* bytes, size_t size) {
  REQUIRE(size < 16384);
  to[0] = (char)(field << 3 | 2);
  to[1] = (char)(size | 0x80);
  to[2] = (char)(size >> 7);
  memcpy(to + 3, bytes, size);
  return size + 3;
}

static void publish_names(const char* const* names, size_t count) {
  static char values[1024], array[1100], attribute[1200], other[256];
  size_t size = 0;
  for (size_t i = 0; i < count; ++i) {
    char any[256];
    const size_t any_size = put_bytes(any, 1, names[i], strlen(names[i]));
    size += put_bytes(values + size, 1, any, any_size);
  }
  size = put_bytes(array, 5, values, size);
  static const char kKey[] = "threadlocal.attribute_key_map";
  size_t attribute_size = put_bytes(attribute, 1, kKey, sizeof kKey - 1);
  attribute_size += put_bytes(attribute + attribute_size, 2, array, size);
  size_t other_size = put_bytes(other, 1, "service.name", 12);
  char any[64];
  other_size += put_bytes(other + other_size, 2, any, put_bytes(any, 1, "checkout", 8));
  char resource[300];
  const size_t resource_size = put_bytes(resource, 1, other, other_size);
  if (process_context == NULL) {
    const int file = memfd_create("OTEL_CTX", MFD_CLOEXEC);
    REQUIRE(file >= 0 && ftruncate(file, kPage) == 0);
    process_context = mmap(NULL, kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
    REQUIRE(process_context != MAP_FAILED && close(file) == 0);
    madvise(process_context, kPage, MADV_DONTFORK);
  }
  const uint64_t before = process_context->published_ns;
  process_context->published_ns = 0;
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
  size = put_bytes(payload, 1, resource, resource_size);
  size += put_bytes(payload + size, 2, attribute, attribute_size);
  process_context->version = 2;
  process_context->payload_bytes = (uint32_t)size;
  process_context->payload = (uint64_t)(uintptr_t)payload;
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
  process_context->published_ns = before + 1;
  memcpy(process_context->signature, "OTEL_CTX", 8);
}

static void usual_names(void) {
  static const char* const names[] = {"zero", "http.route", "http.method", "tenant"};
  publish_names(names, sizeof names / sizeof *names);
}
static const unsigned char kRouteKey = 1, kMethodKey = 2, kTenantKey = 3;

/* As the text says: not valid while it is written. */
static void begin(struct context_record* record) {
  *(volatile uint8_t*)&record->valid = 0;
  __atomic_signal_fence(__ATOMIC_SEQ_CST);
  memset(record->trace_id, 0xAB, sizeof record->trace_id);
  memset(record->span_id, 0xCD, sizeof record->span_id);
  record->trace_flags = 1;
  record->attributes_bytes = 0;
}

static void add(struct context_record* record, unsigned char key, const char* value) {
  const size_t size = strlen(value);
  REQUIRE(size <= 255 && record->attributes_bytes + size + 2 <= sizeof record->attributes);
  record->attributes[record->attributes_bytes] = key;
  record->attributes[record->attributes_bytes + 1] = (uint8_t)size;
  memcpy(record->attributes + record->attributes_bytes + 2, value, size);
  record->attributes_bytes = (uint16_t)(record->attributes_bytes + size + 2);
}

static void end(struct context_record* record) {
  __atomic_signal_fence(__ATOMIC_SEQ_CST);
  *(volatile uint8_t*)&record->valid = 1;
  __atomic_signal_fence(__ATOMIC_SEQ_CST);
}

static void with_route(struct context_record* record, const char* route) {
  begin(record);
  add(record, kRouteKey, route);
  end(record);
}

static __thread struct context_record of_thread;

static void* in_thread(void* argument) {
  struct context_record on_stack;
  if (argument == NULL) {
    keep(100000); /* this thread has published nothing */
    return NULL;
  }
  publish(&of_thread);
  with_route(&of_thread, "/thread");
  keep(10000);
  with_route(&on_stack, "/stack");
  publish(&on_stack);
  keep(20000);
  publish(NULL);
  keep(40000);
  return NULL;
}

static void plain(void) {
  /* The first allocation of all is under it. */
  static struct context_record record;
  find_writer();
  usual_names();
  errno = 77;
  with_route(&record, "/a");
  publish(&record);
  keep(1000);
  begin(&record);
  add(&record, kRouteKey, "/old");
  add(&record, kMethodKey, "POST");
  keep(100); /* half written */
  add(&record, kTenantKey, "blue");
  add(&record, kRouteKey, "/b"); /* takes the place of the one before */
  end(&record);
  keep(2000);
  /* The program's own labels lie above it, and have the last word on their keys. */
  const heapgauge_scope mine = heapgauge_push_label(heapgauge_label("http.route", "/mine"));
  keep(4000);
  heapgauge_pop_label(mine);
  publish(NULL);
  keep(8000);
  REQUIRE(errno == 77);
  struct context_record* const on_heap = malloc(sizeof *on_heap);
  with_route(on_heap, "/heap");
  publish(on_heap);
  keep(16000);
  for (size_t i = 0; i < 2; ++i) {
    pthread_t thread;
    REQUIRE(pthread_create(&thread, NULL, in_thread, i == 0 ? &record : NULL) == 0);
    pthread_join(thread, NULL);
  }
  publish(NULL);
}

/* Each keeps a hundred bytes under what is no valid context; and once more under a good one, by which the test sees that
 * contexts are read at all. */
static void half(void) {
  static struct context_record record;
  find_writer();
  usual_names();
  publish(&record);
  for (int valid = 0; valid < 256; ++valid) {
    with_route(&record, "/wrong");
    record.valid = (uint8_t)valid;
    if (valid != 1) keep(100);
  }
  /* Lengths: nothing of an attribute that is not whole. */
  for (size_t left = 0; left < 8; ++left) {
    with_route(&record, "/wrong");
    record.attributes_bytes = (uint16_t)left;
    keep(100);
  }
  begin(&record);
  add(&record, kTenantKey, "blue");
  add(&record, kRouteKey, "/wrong");
  record.attributes[7] = 255; /* of the second */
  end(&record);
  keep(1000); /* tenant=blue alone */
  /* Keys that nobody knows, and one whose last value is empty. */
  begin(&record);
  for (int key = 4; key < 256; ++key) add(&record, (unsigned char)key, "");
  add(&record, 200, "wrong");
  end(&record);
  keep(100);
  begin(&record);
  add(&record, kRouteKey, "/wrong");
  add(&record, kRouteKey, "");
  end(&record);
  keep(100);
  /* No trace is active, but attributes are there. */
  with_route(&record, "/untraced");
  memset(record.trace_id, 0, sizeof record.trace_id);
  memset(record.span_id, 0, sizeof record.span_id);
  keep(2000);
  with_route(&record, "/good");
  keep(4000);
  publish(NULL);
}

static void hostile(void) {
  find_writer();
  usual_names();
  char* const pages =
      mmap(NULL, 4 * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  REQUIRE(pages != MAP_FAILED);
  REQUIRE(mprotect(pages + kPage, kPage, PROT_NONE) == 0 && munmap(pages + 3 * kPage, kPage) == 0);
  static const uintptr_t nowhere[] = {1,
                                      2,
                                      0xFFF,
                                      0x1000,
                                      0xDEADBEEF000,
                                      UINTPTR_MAX - 1,
                                      1UL << 47,
                                      1UL << 63,
                                      0xFFFFFFFFFF600000,
                                      (uintptr_t)-4096,
                                      (uintptr_t)-28};
  for (size_t i = 0; i < sizeof nowhere / sizeof *nowhere; ++i) {
    publish((struct context_record*)nowhere[i]);
    keep(100);
  }
  /* Each way across the end of what is there; then at its end, whole. */
  static struct context_record good;
  with_route(&good, "/edge");
  const size_t whole = offsetof(struct context_record, attributes) + good.attributes_bytes;
  for (size_t there = 2; there < whole + 2; there += 2) {
    for (int side = 0; side < 2; ++side) {
      char* const at = pages + (side == 0 ? 1 : 3) * kPage - there;
      memcpy(at, &good, there < whole ? there : whole);
      publish((struct context_record*)at);
      keep(there < whole ? 100 : 1000);
      memset(at, 0, there < whole ? there : whole);
    }
  }
  /* A length that leads out of memory: nothing of the record is believed. */
  char* const last = pages + 3 * kPage - 64;
  memcpy(last, &good, 64);
  ((struct context_record*)last)->attributes_bytes = 65535;
  publish((struct context_record*)last);
  keep(100);
  /* One that was there, and goes while it is published. */
  ((struct context_record*)last)->attributes_bytes = good.attributes_bytes;
  keep(2000);
  REQUIRE(munmap(pages + 2 * kPage, kPage) == 0);
  keep(100);
  REQUIRE(mprotect(pages, kPage, PROT_NONE) == 0);
  publish((struct context_record*)pages);
  keep(100);
  /* Attributes of any bytes, and as many as fit. */
  static struct context_record odd;
  begin(&odd);
  add(&odd, kRouteKey, "\xff\xfe \"<b>\n\x1b[31m");
  end(&odd);
  publish(&odd);
  keep(3000);
  begin(&odd);
  odd.attributes_bytes = 5;
  memcpy(odd.attributes, "\001\003a\0b", 5);
  end(&odd);
  keep(5000);
  memset(&odd, 9, sizeof odd);
  odd.valid = 1;
  odd.attributes_bytes = 65535; /* far beyond the variable; the program's data goes on for longer */
  keep(100);
  publish(&good);
  keep(4000);
  publish(NULL);
}

/* The process context damaged in each way: no names, no harm; then whole again. */
static void names(void) {
  static struct context_record record;
  find_writer();
  with_route(&record, "/a");
  publish(&record);
  keep(1000);
  report(); /* 1: nothing is known */
  usual_names();
  const struct process_context whole = *process_context;
  static const uint64_t places[] = {0, 1, 0xDEADBEEF000, UINT64_MAX, UINT64_MAX - 4096};
  for (size_t i = 0; i < sizeof places / sizeof *places; ++i) {
    process_context->payload = places[i];
    process_context->published_ns += 1;
    report();
  }
  static const uint32_t sizes[] = {0, 1, 70, 4096 * 60, 1U << 31, UINT32_MAX};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; ++i) {
    *process_context = whole;
    process_context->payload_bytes = sizes[i];
    process_context->published_ns += i + 10;
    report();
  }
  *process_context = whole;
  process_context->version = 3;
  report();
  *process_context = whole;
  process_context->published_ns = 0; /* being written */
  report();
  memset(process_context->signature, 'x', 8);
  report();
  *process_context = whole;
  process_context->published_ns += 100;
  report(); /* the 16th: http.route is known */
  static const char* const more[] = {"zero", "http.route", "http.method", "tenant", "\xff", "peer"};
  publish_names(more, sizeof more / sizeof *more);
  process_context->published_ns += 200;
  begin(&record);
  add(&record, 5, "database");
  end(&record);
  keep(2000);
  publish(NULL);
}

static void modules(void) {
  static struct context_record record;
  usual_names();
  for (int i = 0; i < 20; ++i) {
    find_writer();
    with_route(&record, "/a");
    publish(&record);
    keep(100);
    publish(NULL);
    REQUIRE(dlclose(handle) == 0);
    keep(50);
  }
}

static void forks(void) {
  static struct context_record record;
  find_writer();
  usual_names();
  with_route(&record, "/a");
  publish(&record);
  keep(1000);
  report();
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    keep(2000);
    with_route(&record, "/child");
    keep(4000);
    report();
    _exit(0);
  }
  int status;
  REQUIRE(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
  keep(8000);
  publish(NULL);
}

static void* storms(void* argument) {
  struct context_record* const record = calloc(1, sizeof *record);
  publish(record);
  for (int i = 0; i < 20000; ++i) {
    char text[32];
    snprintf(text, sizeof text, "/%d", i % 50);
    with_route(record, text);
    if (i % 10 == 0) keep(100);
  }
  publish(NULL);
  free(record);
  return argument;
}

static void storm(void) {
  find_writer();
  usual_names();
  pthread_t threads[8];
  for (size_t i = 0; i < 8; ++i) REQUIRE(pthread_create(&threads[i], NULL, storms, NULL) == 0);
  for (size_t i = 0; i < 8; ++i) {
    report();
    pthread_join(threads[i], NULL);
  }
}

int main(int argc, char** argv) {
  static const struct {
    const char* name;
    void (*run)(void);
  } cases[] = {{"plain", plain},     {"half", half},   {"hostile", hostile}, {"names", names},
               {"modules", modules}, {"forks", forks}, {"storm", storm}};
  if (argc > 2) library = argv[2];
  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
    if (argc > 1 && strcmp(argv[1], cases[i].name) == 0) {
      cases[i].run();
      report();
      return 0;
    }
  }
  return 2;
}
