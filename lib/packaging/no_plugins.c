// For programs that are linked statically (heapgauge_static_program): there are no plugins.
#include <dlfcn.h>
#include <stddef.h>

__attribute__((visibility("hidden"))) void* dlopen(const char* file, int mode) {
  (void)file;
  (void)mode;
  return NULL;
}
__attribute__((visibility("hidden"))) void* dlsym(void* restrict handle,
                                                  const char* restrict name) {
  (void)handle;
  (void)name;
  return NULL;
}
__attribute__((visibility("hidden"))) int dlclose(void* handle) {
  (void)handle;
  return -1;
}
__attribute__((visibility("hidden"))) char* dlerror(void) {
  static char text[] = "this program loads no libraries";
  return text;
}
