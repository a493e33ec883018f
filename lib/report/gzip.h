// gzip by zlib, whole or behind a beginning that has been compressed before.
#ifndef HEAPGAUGE_REPORT_GZIP_H_
#define HEAPGAUGE_REPORT_GZIP_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace heapgauge {

// Throws std::bad_alloc rather than give less than all of it: zlib wants some 256 KiB.
std::string Gzip(std::string_view plain);

// A beginning that many texts have in common.
class GzipBeginning final {
 public:
  // Compresses it, unless it is the one of the last call.  Throws as Gzip() does, and then has none.
  void Set(std::string&& plain);
  // One gzip member of the beginning and the rest, as Gzip() of both but for some bytes.
  std::string With(std::string_view rest) const;

  size_t memory_bytes() const { return plain_.capacity() + packed_.capacity(); }

 private:
  std::string plain_;
  std::string packed_;  // ends at a byte, and what follows refers to nothing in it
  unsigned long checksum_ = 0;
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_REPORT_GZIP_H_
