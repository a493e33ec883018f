#include "elf/build_id.h"

#include <elf.h>

#include <catch2/catch.hpp>
#include <cstring>
#include <random>
#include <vector>

namespace heapgauge {
namespace {

void Append(std::vector<uint8_t>& notes, uint32_t type, std::string_view name,
            const std::vector<uint8_t>& content, size_t alignment) {
  const size_t start = notes.size();  // padding counts from the note's start
  const auto pad = [&] {
    while ((notes.size() - start) % alignment != 0) notes.push_back(0);
  };
  const Elf32_Nhdr header = {static_cast<Elf32_Word>(name.size() + 1),
                             static_cast<Elf32_Word>(content.size()), type};
  const auto* const bytes = reinterpret_cast<const uint8_t*>(&header);
  notes.insert(notes.end(), bytes, bytes + sizeof header);
  notes.insert(notes.end(), name.begin(), name.end());
  notes.push_back(0);
  pad();
  notes.insert(notes.end(), content.begin(), content.end());
  pad();
}

std::vector<uint8_t> Copy(std::span<const uint8_t> view) { return {view.begin(), view.end()}; }

}  // namespace

TEST_CASE("the build-id is found behind other notes", "[elf][build_id]") {
  const std::vector<uint8_t> id = {0xde, 0xad, 0xbe, 0xef, 0x01};
  std::vector<uint8_t> notes;
  Append(notes, NT_GNU_ABI_TAG, "GNU", std::vector<uint8_t>(16, 1), 4);
  Append(notes, NT_GNU_BUILD_ID, "XYZ", {9, 9}, 4);
  Append(notes, NT_GNU_BUILD_ID, "GNU", id, 4);
  CHECK(Copy(FindBuildId(notes, 4)) == id);
}

TEST_CASE("notes aligned to eight bytes are walked as such", "[elf][build_id]") {
  std::vector<uint8_t> notes;
  Append(notes, NT_GNU_PROPERTY_TYPE_0, "GNU", std::vector<uint8_t>(12, 1), 8);
  Append(notes, NT_GNU_BUILD_ID, "GNU", {1, 2, 3}, 8);
  CHECK(Copy(FindBuildId(notes, 8)) == std::vector<uint8_t>{1, 2, 3});
}

TEST_CASE("no build-id is read from empty, cut or oversized notes", "[elf][build_id]") {
  CHECK(FindBuildId({}, 4).empty());
  std::vector<uint8_t> notes;
  Append(notes, NT_GNU_BUILD_ID, "GNU", std::vector<uint8_t>(20, 7), 4);
  for (size_t size = 0; size < notes.size(); ++size) {
    CHECK(FindBuildId(std::span(notes).first(size), 4).empty());
  }
  CHECK(FindBuildId(notes, 4).size() == 20);
  std::vector<uint8_t> long_id;
  Append(long_id, NT_GNU_BUILD_ID, "GNU", std::vector<uint8_t>(kMaxBuildIdBytes + 1, 7), 4);
  CHECK(FindBuildId(long_id, 4).empty());
}

TEST_CASE("random bytes never lead outside the notes", "[elf][build_id]") {
  std::mt19937 random(7);
  for (int round = 0; round < 20'000; ++round) {
    // A heap block of the exact size: address sanitizer sees the first byte beyond.
    std::vector<uint8_t> notes(random() % 64);
    for (uint8_t& byte : notes) byte = static_cast<uint8_t>(random() % 8);
    const auto id = FindBuildId(notes, round % 2 == 0 ? 4 : 8);
    if (!id.empty()) CHECK(id.data() + id.size() <= notes.data() + notes.size());
  }
}

}  // namespace heapgauge
