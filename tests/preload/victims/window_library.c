/* Preloaded behind heapgauge, so that its constructor runs right before heapgauge's: opens the window of
 * support/fault_tracer.c, which the victim's main() closes. */
#include <sys/syscall.h>
#include <unistd.h>

__attribute__((constructor)) static void OpenWindow(void) { syscall(0x4847, 1); }
