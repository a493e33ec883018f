// May this request be answered?
//
// Without a token the server is on loopback alone, and a browser of this machine reaches it: a page
// from elsewhere may point a name of its own at 127.0.0.1 (DNS rebinding).  So the Host header must
// be an address of loopback or localhost.  With a token each request must carry it.
#ifndef HEAPGAUGE_SERVE_REQUEST_GATE_H_
#define HEAPGAUGE_SERVE_REQUEST_GATE_H_

#include <string>
#include <string_view>

namespace heapgauge::serve {

struct Refusal {
  int status = 0;  // 0: none
  std::string reason;
};

// `token`: "" where none is asked for.  `host`, `authorization`: the request's headers, "" if
// missing.
Refusal Judge(const std::string& token, const std::string& host, const std::string& authorization);

// Takes as long whatever they hold; of different lengths as long as the second.
bool EqualInConstantTime(std::string_view given, std::string_view expected);

}  // namespace heapgauge::serve

#endif  // HEAPGAUGE_SERVE_REQUEST_GATE_H_
