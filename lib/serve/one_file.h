// `heapgauge report --open`: one file, once, on loopback, for one viewer.
#ifndef HEAPGAUGE_SERVE_ONE_FILE_H_
#define HEAPGAUGE_SERVE_ONE_FILE_H_

#include <string>

namespace heapgauge::serve {

struct OneFile {
  std::string name;  // the last part of its address
  std::string media_type;
  std::string origin;  // the viewer's, which may read it; "" for none but a plain visit
  int port = 0;        // 0: any; a viewer may ask at one port alone
  std::string content;
};

// Serves the file below a path that cannot be guessed, prints the address as a line on standard
// output, and returns once it was fetched; "" or what went wrong, also when nobody came within two
// minutes.
std::string ServeOnce(const OneFile& file);

}  // namespace heapgauge::serve

#endif  // HEAPGAUGE_SERVE_ONE_FILE_H_
