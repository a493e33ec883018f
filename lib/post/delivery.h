// One request of the library, carried out.
#ifndef HEAPGAUGE_POST_DELIVERY_H_
#define HEAPGAUGE_POST_DELIVERY_H_

namespace heapgauge::post {

// Reads an AlertRequest from `in`, runs the command, posts to the URL, and writes the answer to
// `out`.  Returns the exit status: 2 with a line on standard error for what is no request.
int DeliverAlerts(int in, int out);

}  // namespace heapgauge::post

#endif  // HEAPGAUGE_POST_DELIVERY_H_
