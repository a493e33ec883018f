/* The calls for labels where there is no tracker. */
#include <stdio.h>
#include <string.h>

#include "heapgauge/heapgauge.h"

int main(void) {
  char header[100] = "untouched";
  int depth = 5;
  const heapgauge_label_id label = heapgauge_label("a", "b");
  const heapgauge_scope request = heapgauge_accept_call("heapgauge-path=1:bare/x/bare", &depth);
  const heapgauge_scope call = heapgauge_begin_call("x");
  const heapgauge_scope scope = heapgauge_push_label(label);
  const heapgauge_scope entered = heapgauge_enter_context(heapgauge_capture_context());
  const size_t size = heapgauge_call_header(header, sizeof header);
  printf("%u %d %zu [%s] %d\n", label, depth, size, header, (int)(scope.opaque[0] != 0));
  heapgauge_pop_label(entered);
  heapgauge_pop_label(scope);
  heapgauge_pop_label(call);
  heapgauge_pop_label(request);
  return 0;
}
