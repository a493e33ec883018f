// Who holds it, as the library asks: a real helper on programs with containers (fixtures/containers.h).
#include <stdio.h>

#include <catch2/catch.hpp>
#include <map>
#include <memory>
#include <sstream>

#include "elf/elf_image.h"
#include "symbolize/variable_names.h"
#include "unit/symbolize/fixtures.h"

namespace heapgauge {
namespace {

using Texts = std::map<std::string, std::string>;

// What is said of each place that the program tells: "variable | type".
Texts Named(const std::string& fixture) {
  const std::string program = symbolize_test::FixturePath(fixture);
  const std::unique_ptr<FILE, int (*)(FILE*)> output(popen(program.c_str(), "r"), &pclose);
  REQUIRE(output);
  std::vector<std::string> labels;
  std::vector<ModuleAddress> modules;
  std::vector<PlaceQuestion> places;
  const auto image = elf::ElfImage::OpenFile(program.c_str());
  REQUIRE(image);
  char line[4096];
  while (fgets(line, sizeof(line), output.get()) != nullptr) {
    std::istringstream words(line);
    PlaceQuestion place;
    std::string kind;
    uint64_t end = 0;
    REQUIRE(words >> labels.emplace_back() >> std::hex >> place.address);
    if (words >> kind >> place.above >> end) {
      place.on_stack = true;
      place.ends = {end};
    }
    modules.push_back({program, image->build_id(), place.address, {}});
    places.push_back(place);
  }
  VariableNames names(true);
  const std::vector<VariablePlace> found = names.Find(modules, places);
  REQUIRE(found.size() == labels.size());
  Texts texts;
  for (size_t i = 0; i < found.size(); ++i)
    texts[labels[i]] = found[i].variable + " | " + found[i].type;
  return texts;
}

void CheckTexts(Texts said, const Texts& truth) {
  for (const auto& [label, text] : truth) {
    INFO(label);
    CHECK(said[label] == text);
  }
  CHECK(said.size() == truth.size());
}

TEST_CASE("a holder is the container that was written, not what the library keeps in it",
          "[dwarf]") {
  const std::string fixture = GENERATE("containers", "containers_clang");
  if (!symbolize_test::HasFixture(fixture)) return;  // clang is optional
  INFO(fixture);
  CheckTexts(Named(fixture),
             {{"vector", "vector | std::vector"},
              {"constant", "constant | std::vector"},
              {"text", "text | std::string"},
              {"map", "map | std::map"},
              {"set", "set | std::set"},
              {"sessions", "sessions | std::unordered_map"},
              {"list", "list | std::list"},
              {"forward", "forward | std::forward_list"},
              {"function", "function | std::function"},
              {"unique", "unique | std::unique_ptr<Book>"},
              {"shared", "shared | std::shared_ptr<Book>"},
              {"optional", "optional.waiting | std::deque in Book"},
              {"optional_pointer", "optional_pointer | std::optional"},
              {"variant", "variant.waiting | std::deque in Book"},
              {"either", "either | std::variant"},
              {"pair", "pair.second | std::vector"},
              {"tuple", "tuple.waiting | std::deque in Book"},
              {"array", "array[] | std::vector"},
              {"atomic", "atomic | std::atomic"},
              {"pmr", "pmr | std::vector"},
              {"any", "any | std::any"},
              {"queue", "queue | std::queue"},
              {"path", "path | std::filesystem::path"},
              {"book", "book.waiting | std::deque in Book"},
              {"named", "named | std::map in Named"},
              {"shop_of_books", "shop_of_books.books[].waiting | std::deque in Book"},
              {"choice", "choice | "},
              {"vector_iterator", "vector_iterator | std::vector::iterator"},
              {"constant_iterator", "constant_iterator | std::vector::iterator"},
              {"map_iterator", "map_iterator | std::map::iterator"},
              {"set_iterator", "set_iterator | std::set::iterator"},
              {"hash_iterator", "hash_iterator | std::unordered_map::iterator"},
              {"list_iterator", "list_iterator | std::list::iterator"},
              {"deque_iterator", "deque_iterator | std::deque::iterator"},
              {"numbers", "numbers | std::vector"},
              {"maybe", "maybe.books[].waiting | std::deque in Book"},
              {"loop", "a loop over std::vector | std::vector"}});
}

TEST_CASE("so are those of other libraries", "[dwarf]") {
  const std::string fixture = GENERATE("foreign_containers", "foreign_containers_clang");
  if (!symbolize_test::HasFixture(fixture)) return;
  INFO(fixture);
  CheckTexts(Named(fixture), {{"vector", "vector | std::vector"},
                              {"unique", "unique | std::unique_ptr<Seats>"},
                              {"map", "map | std::map"},
                              {"map_iterator", "map_iterator | std::map::iterator"},
                              {"set_iterator", "set_iterator | std::set::iterator"},
                              {"vector_iterator", "vector_iterator | an iterator"},
                              {"text", "text | std::string"},
                              {"optional", "optional.taken | std::vector in Seats"},
                              {"flat", "flat | absl::flat_hash_map"},
                              {"flat_iterator", "flat_iterator | absl::flat_hash_map::iterator"},
                              {"absl_optional", "absl_optional.taken | std::vector in Seats"},
                              {"boost_vector", "boost_vector | boost::container::vector"},
                              {"hash", "hash | QHash"},
                              {"hall", "hall.guests | absl::flat_hash_map in Hall"}});
}

}  // namespace
}  // namespace heapgauge
