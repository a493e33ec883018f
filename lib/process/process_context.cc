#include "process/process_context.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

#include "base/readable.h"
#include "elf/maps.h"

namespace heapgauge {
namespace {

constexpr std::string_view kNamesKey = "threadlocal.attribute_key_map";
constexpr size_t kMostNames = 256;
constexpr size_t kNameBytes = 64;
constexpr uint32_t kVersions[] = {1, 2};  // 1: while it was developed

// The fields of a protobuf message that hold bytes, one after the other; others are passed over.
class Fields final {
 public:
  explicit Fields(std::string_view message) : rest_(message) {}

  // nullopt: at the end, and where the message is damaged.
  struct Field {
    uint64_t number;
    std::string_view bytes;
  };
  std::optional<Field> Next() {
    constexpr unsigned kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5;
    while (!rest_.empty()) {
      uint64_t tag = 0;
      uint64_t value = 0;
      if (!Take(&tag)) return std::nullopt;
      switch (tag & 7) {
        case kVarint:
          if (!Take(&value)) return std::nullopt;
          break;
        case kFixed64:
        case kFixed32:
          value = (tag & 7) == kFixed64 ? 8 : 4;
          if (value > rest_.size()) return std::nullopt;
          rest_.remove_prefix(value);
          break;
        case kBytes: {
          if (!Take(&value) || value > rest_.size()) return std::nullopt;
          const Field field{tag >> 3, rest_.substr(0, value)};
          rest_.remove_prefix(value);
          return field;
        }
        default:
          return std::nullopt;
      }
    }
    return std::nullopt;
  }

 private:
  bool Take(uint64_t* value) {
    for (unsigned shift = 0; shift < 64 && !rest_.empty(); shift += 7) {
      const auto byte = static_cast<unsigned char>(rest_.front());
      rest_.remove_prefix(1);
      *value |= uint64_t{byte & 0x7FU} << shift;
      if ((byte & 0x80) == 0) return true;
    }
    return false;
  }

  std::string_view rest_;
};

// Of AnyValue: string_value and array_value; of the others (KeyValue, ArrayValue) as they are named.
constexpr uint64_t kKey = 1, kValue = 2, kValues = 1, kStringValue = 1, kArrayValue = 5;

// The names in an attribute (KeyValue); false: it is another one.
bool NamesOf(std::string_view attribute, std::vector<std::string>* names) {
  std::string_view key;
  std::string_view value;
  Fields fields(attribute);
  while (const auto field = fields.Next()) {
    if (field->number == kKey) key = field->bytes;
    if (field->number == kValue) value = field->bytes;
  }
  if (key != kNamesKey) return false;
  Fields kinds(value);
  while (const auto kind = kinds.Next()) {
    if (kind->number != kArrayValue) continue;
    Fields values(kind->bytes);
    while (const auto any = values.Next()) {
      if (any->number != kValues || names->size() == kMostNames) continue;
      std::string_view name;
      Fields strings(any->bytes);
      while (const auto text = strings.Next()) {
        if (text->number == kStringValue) name = text->bytes;
      }
      names->emplace_back(name.substr(0, kNameBytes));
    }
  }
  return true;
}

// Prefixes of its name: shared or private, with or without a name given by prctl().
bool IsContext(const MapsLine& line) {
  return line.readable &&
         (line.path.starts_with("/memfd:OTEL_CTX") ||
          line.path.starts_with("[anon_shmem:OTEL_CTX") || line.path.starts_with("[anon:OTEL_CTX"));
}

}  // namespace

// Its attributes are in the message itself (2), and in the resource (1) that it holds; older
// writers publish the resource alone.
std::vector<std::string> ParseAttributeNames(std::string_view payload) {
  std::vector<std::string> names;
  Fields fields(payload);
  while (const auto field = fields.Next()) {
    if (field->number != 1 && field->number != 2) continue;
    if (NamesOf(field->bytes, &names)) return names;
    if (field->number != 1) continue;
    Fields attributes(field->bytes);
    while (const auto attribute = attributes.Next()) {
      if (attribute->number == 1 && NamesOf(attribute->bytes, &names)) return names;
    }
  }
  return names;
}

bool ProcessContext::ReadHeader(uintptr_t at, Header* header) noexcept {
  if (!CopyReadable(header, reinterpret_cast<const void*>(at), sizeof *header)) return false;
  return std::memcmp(header->signature, "OTEL_CTX", sizeof header->signature) == 0 &&
         std::find(std::begin(kVersions), std::end(kVersions), header->version) !=
             std::end(kVersions);
}

uintptr_t ProcessContext::Find() {
  std::vector<char> room(MapsReader::kRoomForAll);
  MapsReader reader(MapsReader::kSelf, room);
  if (!reader.opened()) return 0;
  MapsLine line;
  while (reader.Next(&line)) {
    Header header{};
    if (IsContext(line) && ReadHeader(line.range.begin, &header)) return line.range.begin;
  }
  return 0;
}

bool ProcessContext::ReadAt(uintptr_t at) {
  Header before{};
  if (at == 0 || !ReadHeader(at, &before)) return false;
  const bool written = before.published_ns != 0 && before.published_ns != published_ns_;
  if (!written || before.payload_bytes > kMostPayloadBytes) return true;
  std::string payload(before.payload_bytes, '\0');
  if (!CopyReadable(payload.data(), reinterpret_cast<const void*>(before.payload),
                    payload.size())) {
    return true;
  }
  Header after{};
  if (!ReadHeader(at, &after) || std::memcmp(&before, &after, sizeof after) != 0) return true;
  published_ns_ = before.published_ns;
  std::vector<std::string> names = ParseAttributeNames(payload);
  changed_ = !names.empty();
  if (changed_) names_ = std::move(names);
  return true;
}

bool ProcessContext::Refresh() {
  changed_ = false;
  if (ReadAt(at_)) return changed_;
  at_ = Find();
  published_ns_ = 0;
  ReadAt(at_);
  return changed_;
}

}  // namespace heapgauge
