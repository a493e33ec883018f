// `heapgauge alert-helper`: delivers alerts for a library that must not wait for their receiver.
// Started by the library alone (serve/alert_sender.h); no part of the command's interface.
#ifndef HEAPGAUGE_CLI_ALERT_HELPER_H_
#define HEAPGAUGE_CLI_ALERT_HELPER_H_

namespace heapgauge::cli {

// Reads an AlertRequest from `in`, runs the command, posts to the URL, and writes the answer to
// `out`.  Returns the exit status.
int RunAlertHelper(int in, int out);

}  // namespace heapgauge::cli

#endif  // HEAPGAUGE_CLI_ALERT_HELPER_H_
