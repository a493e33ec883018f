#include "report/gzip.h"

#include <zlib.h>

#include <new>
#include <utility>

namespace heapgauge {
namespace {

// RFC 1952: deflate, no name and no time, by Unix.
constexpr char kMemberHead[] = {'\x1f', '\x8b', 8, 0, 0, 0, 0, 0, 0, 3};

Bytef* BytesOf(const char* text) { return reinterpret_cast<Bytef*>(const_cast<char*>(text)); }

// `flush`: Z_FINISH for what nothing follows, else Z_FULL_FLUSH.
std::string Deflate(std::string_view plain, int flush) {
  constexpr size_t kFlush = 16;  // what a flush takes beside the data
  std::string packed(deflateBound(nullptr, plain.size()) + kFlush, '\0');
  z_stream stream{};
  // Negative: without a head and an end of its own.
  if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY) !=
      Z_OK) {
    throw std::bad_alloc();
  }
  stream.next_in = BytesOf(plain.data());
  stream.avail_in = static_cast<uInt>(plain.size());
  stream.next_out = BytesOf(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  const int result = deflate(&stream, flush);
  const bool done = flush == Z_FINISH
                        ? result == Z_STREAM_END
                        : result == Z_OK && stream.avail_in == 0 && stream.avail_out > 0;
  packed.resize(done ? stream.total_out : 0);
  deflateEnd(&stream);
  if (!done) throw std::bad_alloc();
  return packed;
}

unsigned long ChecksumOf(std::string_view plain) {
  return crc32(0, BytesOf(plain.data()), static_cast<uInt>(plain.size()));
}

void PutLittleEndian(uint32_t value, std::string* out) {
  for (int i = 0; i < 4; ++i, value >>= 8) out->push_back(static_cast<char>(value & 0xFF));
}

}  // namespace

std::string Gzip(std::string_view plain) { return GzipBeginning().With(plain); }

void GzipBeginning::Set(std::string&& plain) {
  if (plain == plain_) return;
  plain_.clear();
  packed_.clear();
  checksum_ = 0;
  packed_ = Deflate(plain, Z_FULL_FLUSH);
  checksum_ = ChecksumOf(plain);
  plain_ = std::move(plain);
}

std::string GzipBeginning::With(std::string_view rest) const {
  std::string out(kMemberHead, sizeof(kMemberHead));
  out += packed_;
  out += Deflate(rest, Z_FINISH);
  const unsigned long both =
      crc32_combine(checksum_, ChecksumOf(rest), static_cast<z_off_t>(rest.size()));
  PutLittleEndian(static_cast<uint32_t>(both), &out);
  PutLittleEndian(static_cast<uint32_t>(plain_.size() + rest.size()), &out);
  return out;
}

}  // namespace heapgauge
