/* A plugin that is loaded with RTLD_DEEPBIND: its malloc and free are those of the C library it names, whoever comes
 * first in the program's own order. */
#include <stdlib.h>
#include <string.h>

void* plugin_take(size_t bytes) { return malloc(bytes); }
void* plugin_resize(void* block, size_t bytes) { return realloc(block, bytes); }
void plugin_give(void* block) { free(block); }
char* plugin_copy(const char* text) { return strdup(text); }
