#include "report/pprof_profile.h"

#include <fmt/core.h>
#include <zlib.h>

#include <new>
#include <protozero/pbf_reader.hpp>

namespace heapgauge {
namespace {

using protozero::pbf_reader;
using protozero::pbf_wire_type;

// The file says of each field how it is written; the library takes it on trust.
pbf_reader* OfType(pbf_reader* field, pbf_wire_type type) {
  if (field->wire_type() != type) throw protozero::unknown_pbf_wire_type_exception{};
  return field;
}
pbf_reader Message(pbf_reader* field) {
  return OfType(field, pbf_wire_type::length_delimited)->get_message();
}
std::string Text(pbf_reader* field) {
  return OfType(field, pbf_wire_type::length_delimited)->get_string();
}
uint64_t Number(pbf_reader* field) { return OfType(field, pbf_wire_type::varint)->get_uint64(); }
int64_t Signed(pbf_reader* field) { return OfType(field, pbf_wire_type::varint)->get_int64(); }

template <typename Take>
void ForEachNumber(pbf_reader* message, Take take) {
  // Packed or one by one: both are valid.
  if (message->wire_type() == pbf_wire_type::length_delimited) {
    for (const uint64_t value : message->get_packed_uint64()) take(value);
  } else {
    take(Number(message));
  }
}

void ReadSample(pbf_reader message, PprofProfile* profile) {
  PprofProfile::Sample& sample = profile->samples.emplace_back();
  while (message.next()) {
    if (message.tag() == 1) {
      ForEachNumber(&message, [&](uint64_t id) { sample.locations.push_back(id); });
    } else if (message.tag() == 2) {
      ForEachNumber(&message,
                    [&](uint64_t value) { sample.values.push_back(static_cast<int64_t>(value)); });
    } else if (message.tag() == 3) {
      int64_t key = 0;
      int64_t text = 0;
      for (pbf_reader label = Message(&message); label.next();) {
        if (label.tag() == 1) {
          key = Signed(&label);
        } else if (label.tag() == 2) {
          text = Signed(&label);
        } else {
          label.skip();
        }
      }
      if (text != 0) sample.labels.emplace_back(key, text);  // numbers (sizes) tell no stacks apart
    } else {
      message.skip();
    }
  }
  if (sample.locations.size() > kMostPprofFrames) throw PprofDamage("a sample has too many frames");
}

void ReadLocation(pbf_reader message, PprofProfile* profile) {
  uint64_t id = 0;
  PprofProfile::Location location;
  while (message.next()) {
    if (message.tag() == 1) {
      id = Number(&message);
    } else if (message.tag() == 2) {
      location.mapping = Number(&message);
    } else if (message.tag() == 3) {
      location.address = Number(&message);
    } else if (message.tag() == 4) {
      PprofProfile::Line& line = location.lines.emplace_back();
      for (pbf_reader inner = Message(&message); inner.next();) {
        if (inner.tag() == 1) {
          line.function = Number(&inner);
        } else if (inner.tag() == 2) {
          line.line = Signed(&inner);
        } else {
          inner.skip();
        }
      }
    } else {
      message.skip();
    }
  }
  profile->locations[id] = std::move(location);
}

// The numbers of a message of numbers, by field.
std::map<uint32_t, uint64_t> Numbers(pbf_reader message) {
  std::map<uint32_t, uint64_t> numbers;
  while (message.next()) {
    if (message.wire_type() == pbf_wire_type::varint) {
      numbers[message.tag()] = Number(&message);
    } else {
      message.skip();
    }
  }
  return numbers;
}

void ReadField(pbf_reader* all, PprofProfile* profile) {
  switch (all->tag()) {
    case 1:
      profile->types.push_back(static_cast<int64_t>(Numbers(Message(all))[1]));
      break;
    case 2:
      ReadSample(Message(all), profile);
      break;
    case 3: {
      auto numbers = Numbers(Message(all));
      if (profile->first_mapping == 0) profile->first_mapping = numbers[1];
      profile->mappings[numbers[1]] = {numbers[2], numbers[4], static_cast<int64_t>(numbers[5]),
                                       static_cast<int64_t>(numbers[6])};
      break;
    }
    case 4:
      ReadLocation(Message(all), profile);
      break;
    case 5: {
      auto numbers = Numbers(Message(all));
      profile->functions[numbers[1]] = {static_cast<int64_t>(numbers[2]),
                                        static_cast<int64_t>(numbers[3]),
                                        static_cast<int64_t>(numbers[4])};
      break;
    }
    case 6:
      profile->strings.push_back(Text(all));
      break;
    case 9:
      profile->time_nanos = Signed(all);
      break;
    case 10:
      profile->duration_nanos = Signed(all);
      break;
    case 12:
      profile->period = Signed(all);
      break;
    default:
      all->skip();
  }
}

}  // namespace

PprofProfile::PprofProfile(const std::string& bytes) {
  for (pbf_reader all(bytes); all.next();) ReadField(&all, this);
  if (strings.empty()) throw PprofDamage("it has no strings");
}

const std::string& PprofProfile::String(int64_t index) const {
  if (index < 0 || static_cast<size_t>(index) >= strings.size())
    throw PprofDamage(fmt::format("string table: index {} of {}", index, strings.size()));
  return strings[static_cast<size_t>(index)];
}

size_t PprofProfile::TypeIndex(std::string_view type) const {
  size_t i = 0;
  while (i < types.size() && String(types[i]) != type) ++i;
  return i;
}

std::string GunzipPprof(const std::string& packed) {
  constexpr int kGzipHeader = 16;
  z_stream stream{};
  if (inflateInit2(&stream, MAX_WBITS + kGzipHeader) != Z_OK) throw std::bad_alloc();
  struct Ender {
    z_stream* stream;
    ~Ender() { inflateEnd(stream); }
  } ender{&stream};
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  std::string plain;
  std::vector<char> piece(size_t{1} << 18);
  for (;;) {
    stream.next_out = reinterpret_cast<Bytef*>(piece.data());
    stream.avail_out = static_cast<uInt>(piece.size());
    const int status = inflate(&stream, Z_NO_FLUSH);
    plain.append(piece.data(), piece.size() - stream.avail_out);
    if (plain.size() > kMostPprofBytes) throw PprofDamage("it is larger than 512 MiB");
    if (status == Z_STREAM_END) {
      // More members may follow, as in any gzip file.
      if (stream.avail_in == 0) return plain;
      if (inflateReset(&stream) != Z_OK) throw PprofDamage("its compression is damaged");
    } else if (status != Z_OK) {
      throw PprofDamage(stream.avail_in == 0 ? "it is cut short" : "its compression is damaged");
    }
  }
}

}  // namespace heapgauge
