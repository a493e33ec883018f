/* A service that does what it is told, line by line, and answers each line with one:
 *   accept HEADER   a request begins (HEADER "-": none); the depth
 *   begin PEER      a call goes out
 *   end             the innermost of both is over
 *   keep BYTES      something is allocated
 *   drop            all that was kept is released
 *   header          what goes along with a call
 *   pass HEADER     the same, passed on with the members of others
 *   report          a report is written */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "heapgauge/heapgauge.h"

enum { kMost = 100000, kLine = 100000 };

static char line[kLine];
static char answer[kLine];
static void* kept[kMost];
static heapgauge_scope scopes[kMost];

int main(void) {
  setvbuf(stdout, malloc(BUFSIZ), _IOLBF, BUFSIZ);
  size_t blocks = 0;
  size_t open = 0;
  while (fgets(line, sizeof line, stdin) != NULL) {
    line[strcspn(line, "\n")] = '\0';
    char* const space = strchr(line, ' ');
    const char* const argument = space != NULL ? space + 1 : "";
    if (space != NULL) *space = '\0';
    if (strcmp(line, "accept") == 0 && open < kMost) {
      int depth = -1;
      scopes[open++] = heapgauge_accept_call(strcmp(argument, "-") == 0 ? NULL : argument, &depth);
      printf("%d\n", depth);
    } else if (strcmp(line, "begin") == 0 && open < kMost) {
      scopes[open++] = heapgauge_begin_call(argument);
      puts("ok");
    } else if (strcmp(line, "end") == 0 && open > 0) {
      heapgauge_pop_label(scopes[--open]);
      puts("ok");
    } else if (strcmp(line, "keep") == 0 && blocks < kMost) {
      kept[blocks++] = malloc(strtoul(argument, NULL, 10));
      puts("ok");
    } else if (strcmp(line, "drop") == 0) {
      while (blocks > 0) free(kept[--blocks]);
      puts("ok");
    } else if (strcmp(line, "header") == 0) {
      heapgauge_call_header(answer, sizeof answer);
      puts(answer);
    } else if (strcmp(line, "pass") == 0) {
      heapgauge_call_baggage(argument, answer, sizeof answer);
      puts(answer);
    } else if (strcmp(line, "report") == 0) {
      puts(heapgauge_write_report() == HEAPGAUGE_OK ? "ok" : "failed");
    } else {
      puts("what?");
    }
  }
  return 0;
}
