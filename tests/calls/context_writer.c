/* The thread's part of OpenTelemetry's thread context, as an SDK has it: the exported variable, and what sets it.
 * Built into a program, and as libraries in the ways in which thread-local variables are reached. */
#include "context_writer.h"

__attribute__((visibility("default"),
               CONTEXT_MODEL)) __thread struct context_record* otel_thread_ctx_v1;

__attribute__((visibility("default"))) void publish_context(struct context_record* record) {
  __atomic_signal_fence(__ATOMIC_SEQ_CST);
  *(struct context_record* volatile*)&otel_thread_ctx_v1 = record;
  __atomic_signal_fence(__ATOMIC_SEQ_CST);
}
