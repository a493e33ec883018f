/* A record of OpenTelemetry's thread context (OTEP 4947), byte for byte. */
#ifndef CONTEXT_WRITER_H_
#define CONTEXT_WRITER_H_

#include <stdint.h>

struct context_record {
  uint8_t trace_id[16];
  uint8_t span_id[8];
  uint8_t valid;
  uint8_t trace_flags;
  uint16_t attributes_bytes;
  uint8_t attributes[612]; /* key's number, length, value, one behind the other */
};

/* Of this thread; NULL: none. */
void publish_context(struct context_record* record);

#endif /* CONTEXT_WRITER_H_ */
