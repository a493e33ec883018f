// heapgauge-symbolize: names addresses for a library that must not read debug information inside
// its host.  Started by the library alone, with its request on standard input.
#include <unistd.h>

#include "dwarf/answer.h"

int main() { return heapgauge::dwarf::AnswerRequest(STDIN_FILENO, STDOUT_FILENO); }
