// heapgauge-alert: delivers alerts for a library that must not wait for their receiver.  Started by
// the library alone, with its request on standard input.
#include <unistd.h>

#include "post/delivery.h"

int main() { return heapgauge::post::DeliverAlerts(STDIN_FILENO, STDOUT_FILENO); }
