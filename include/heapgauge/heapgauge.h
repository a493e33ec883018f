/* heapgauge: sampled heap tracking for C and C++ services on Linux.
 *
 * The C API of libheapgauge.so.  Stable ABI: functions are only added, structures grow at the end
 * and carry their size.  The library works as soon as it is loaded (linked or preloaded),
 * configured by the HEAPGAUGE_* environment; these calls only steer it and read it.
 *
 * Threads  every call may come from any thread, none from a signal handler, unless it says so.
 * Errors   a call that can fail returns a heapgauge_status; no call ends the process or changes
 *          errno.
 */
#ifndef HEAPGAUGE_HEAPGAUGE_H
#define HEAPGAUGE_HEAPGAUGE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HEAPGAUGE_VERSION_MAJOR 0
#define HEAPGAUGE_VERSION_MINOR 1
#define HEAPGAUGE_VERSION_PATCH 0

typedef enum heapgauge_status {
  HEAPGAUGE_OK = 0,
  HEAPGAUGE_NOT_AVAILABLE = 1, /* the tracker stepped aside: core missing, sanitizer host, ... */
  HEAPGAUGE_BAD_ARGUMENT = 2,  /* an argument is out of its range; nothing was changed */
  HEAPGAUGE_NO_MEMORY = 3,     /* the answer did not fit in memory; the output is empty */
  HEAPGAUGE_IO_ERROR = 4 /* the report could not be written; it is counted in reports_failed */
} heapgauge_status;

/* "0.1.0"; a static string.  Safe in a signal handler. */
const char* heapgauge_version(void);

/* The meaning of a status in a few words; a static string. */
const char* heapgauge_status_text(heapgauge_status status);

/* Starts (or resumes) sampling.  With HEAPGAUGE_START=on, the default, it is already running.
 * Blocks allocated while tracking was off are not known and pass through. */
heapgauge_status heapgauge_start(void);

/* Stops sampling new allocations.  Frees of blocks sampled before are still seen, so live figures
 * stay right. */
heapgauge_status heapgauge_stop(void);

/* 1 while sampling, 0 otherwise. */
int heapgauge_is_running(void);

/* Mean bytes between samples from now on; 1 = every allocation, exactly.  Range 1 .. 2^40.
 * Each sample carries the interval it was drawn with, so estimates stay unbiased through a change.
 * The calling thread changes at once, every other one after the gap it has drawn already (a Poisson
 * process at the old interval). */
heapgauge_status heapgauge_set_sample_interval(uint64_t bytes);

/* The interval in force [bytes]; 0 when the tracker stepped aside. */
uint64_t heapgauge_get_sample_interval(void);

/* One call site: a distinct stack that allocated.
 * Later versions may add members at the end.  heapgauge_snapshot then grows, too, so its size tells
 * the library which heapgauge_site a program was compiled with: sites[i] is always a row of the
 * header that the program knows, whatever the version of the library. */
typedef struct heapgauge_site {
  uint64_t id;       /* the same stack has the same id in every run of the same binaries */
  double live_bytes; /* estimates; exact when the interval is 1 */
  double live_bytes_stderr;
  double live_objects;
  double allocated_bytes; /* since tracking began */
  double freed_bytes;
  double allocated_objects;
  double freed_objects;
  double age_max_s; /* of the oldest living sample */
  uint32_t frame_count;
  uint32_t size;       /* how much of this structure the library has filled in [bytes] */
  void* const* frames; /* frame_count return addresses, innermost first, not symbolized */
} heapgauge_site;

typedef struct heapgauge_snapshot {
  size_t size; /* sizeof(heapgauge_snapshot), set by the caller */
  uint64_t interval_bytes;
  uint64_t samples; /* taken since tracking began */
  uint64_t live_samples;
  uint64_t dropped_samples; /* found no room under HEAPGAUGE_MEMORY_LIMIT */
  double live_bytes;        /* totals over all sites, also those beyond max_sites */
  double live_bytes_stderr;
  double live_objects;
  double allocated_bytes;
  double freed_bytes;
  double allocated_objects;
  double freed_objects;
  size_t site_count;
  const heapgauge_site* sites; /* most live bytes first */
} heapgauge_snapshot;

/* Copies the sampled live heap, grouped by call site.
 * Shape    out->sites: 0 .. max_sites rows, most live bytes first.  Totals cover every site.
 * Errors   HEAPGAUGE_BAD_ARGUMENT when out is NULL or out->size is not one this library knows;
 *          HEAPGAUGE_NOT_AVAILABLE; HEAPGAUGE_NO_MEMORY.  On an error out->sites is NULL.
 * Threads  any thread; not in a signal handler.  Allocation goes on meanwhile: each row is
 *          consistent, the set is not one instant.
 * Memory   to be released with heapgauge_snapshot_free. */
heapgauge_status heapgauge_take_snapshot(heapgauge_snapshot* out, size_t max_sites);
void heapgauge_snapshot_free(heapgauge_snapshot* snapshot);

/* Writes a report into the report directory now (report.txt, reports.jsonl) and returns when it is
 * there. The report thread does the work where there is one; the caller waits for it. */
heapgauge_status heapgauge_write_report(void);

/* Looks through the memory of this process for who holds what call sites have left behind (those
 * that grow, or the five largest), as `heapgauge holders` does, then writes a report that says so
 * and returns when it is there: a few seconds, during which the program goes on and the caller
 * waits.
 * Errors   HEAPGAUGE_NOT_AVAILABLE also where HEAPGAUGE_HOLDERS is off or exit, or the kernel lets
 *          nobody read memory; HEAPGAUGE_IO_ERROR. */
heapgauge_status heapgauge_find_holders(void);

/* The report directory, or NULL before the first report made it.  Valid until the process ends. */
const char* heapgauge_report_directory(void);

/* ---- Labels: what a thread is busy with, kept with what it allocates --------------------------
 *
 * A label is a key and a value, e.g. route=/checkout.  A thread carries a set of them, and each
 * sampled block keeps the set of the thread that allocated it: reports say which labels hold the
 * live heap.  Blocks that are not sampled pay nothing.  Keys of heapgauge's own: peer, circle,
 * route, service.
 *
 * Memory is bounded: keys are cut at 64 bytes and values at 256, a set has at most 16 keys, and what
 * finds no room any more has the value "other".  Where tracking is not available all calls do
 * nothing.
 *
 * Scopes   belong to the thread that opened them and nest.  Closing one closes all that were opened
 *          inside it; one that is closed already, or another thread's, is left alone.  A longjmp()
 *          past scopes leaves them open until one around them is closed. */

typedef uint32_t heapgauge_label_id; /* 0: no label */

typedef struct heapgauge_scope {
  uint64_t opaque[2];
} heapgauge_scope;

typedef struct heapgauge_context {
  uint64_t opaque;
} heapgauge_context;

/* The number of a label; the same label has the same number as long as the process lives.  Costs
 * about a hundred nanoseconds: keep it where it is needed again.  0 when the key is NULL or empty. */
heapgauge_label_id heapgauge_label(const char* key, const char* value);

/* From now on this thread's blocks have this label; one of the same key is hidden meanwhile. */
heapgauge_scope heapgauge_push_label(heapgauge_label_id label);
void heapgauge_pop_label(heapgauge_scope scope);

/* The labels of this thread and the path of its request, to be entered wherever the work goes on:
 * in a coroutine that is resumed, a task of a pool, another thread.  A plain value, nothing to
 * release.  What was entered is left by heapgauge_pop_label(), before the work is suspended again. */
heapgauge_context heapgauge_capture_context(void);
heapgauge_scope heapgauge_enter_context(heapgauge_context context);

/* ---- Calls to other services ------------------------------------------------------------------
 *
 * What is allocated inside begin_call() and its heapgauge_pop_label() is memory in flight for a call
 * to `peer`, as long as it lives: reports sum it by peer, with its age and growth.
 *
 * The path of services travels with the requests, in one member of the W3C baggage header.  Two
 * lines a request: accept_call() with the header that came in, call_header() for what goes out.  So
 * a service sees itself in the path: a circle of services is known at its second turn. */

heapgauge_scope heapgauge_begin_call(const char* peer);

/* Writes the baggage member that carries the path of services up to here, this one included.
 * Returns its length without the terminating NUL; when that is `room` or more, out is empty, as it
 * is with the result 0 where tracking is not available. */
size_t heapgauge_call_header(char* out, size_t room);

/* The same for a service that passes baggage on: `baggage` (may be NULL) with that member in place
 * of the one that it had.  Members of others are not touched; where the limits of the W3C's text
 * (180 members, 8192 bytes) leave no room for ours, it is left out. */
size_t heapgauge_call_baggage(const char* baggage, char* out, size_t room);

/* The begin of a request that came in with this baggage header (NULL: without one).  *depth (may be
 * NULL): how often this service is on the path already; > 0 is a circle.  To be closed with
 * heapgauge_pop_label() at the request's end. */
heapgauge_scope heapgauge_accept_call(const char* baggage, int* depth);

#ifdef __cplusplus
}
#endif

#endif /* HEAPGAUGE_HEAPGAUGE_H */
