/* Labels in plain C: what each route keeps alive.
 *
 *   cc plain.c $(pkg-config --cflags --libs heapgauge) -o plain
 *   HEAPGAUGE_SAMPLE_INTERVAL=1 HEAPGAUGE_OUTPUT=out ./plain && heapgauge report out --by route */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "heapgauge/heapgauge.h"

enum { kRequests = 100 };

static char* kept[2 * kRequests];
static int kept_count;

/* Knows nothing of routes: the label is the thread's. */
static void remember(size_t bytes) {
  kept[kept_count] = malloc(bytes);
  if (kept[kept_count] != NULL) memset(kept[kept_count++], 'x', bytes);
}

static void serve(heapgauge_label_id route, size_t bytes) {
  const heapgauge_scope scope = heapgauge_push_label(route);
  remember(bytes);
  free(malloc(4 * bytes)); /* gone before the request ends */
  heapgauge_pop_label(scope);
}

int main(void) {
  /* Once: a label keeps its number. */
  const heapgauge_label_id cart = heapgauge_label("route", "/cart");
  const heapgauge_label_id search = heapgauge_label("route", "/search");
  for (int i = 0; i < kRequests; ++i) {
    serve(cart, 30000);
    serve(search, 10000);
  }
  if (heapgauge_write_report() == HEAPGAUGE_OK) puts(heapgauge_report_directory());
  for (int i = 0; i < kept_count; ++i) free(kept[i]);
  return 0;
}
