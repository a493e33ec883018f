#include "elf/elf_symbols.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace heapgauge::elf {
namespace {

using Symbol = ElfW(Sym);
using Section = ElfImage::Section;

constexpr size_t kChunkSymbols = 2048;  // 48 KiB
// Symbols that cover an address, over all addresses.  In compiled code one or two do; a table in
// which every symbol reaches over everything would take minutes.  0.2 s.
constexpr size_t kMostOffers = size_t{1} << 24;

unsigned char TypeOf(const Symbol& symbol) { return symbol.st_info & 0xF; }
unsigned char BindingOf(const Symbol& symbol) { return symbol.st_info >> 4; }

// 0: not worth showing; 2: of the public interface, whose names people know.
int Rank(const Symbol& symbol) {
  switch (TypeOf(symbol)) {
    case STT_FUNC:
    case STT_GNU_IFUNC:
      break;
    case STT_NOTYPE:  // hand-written assembly; local ones are labels within functions
      if (BindingOf(symbol) == STB_LOCAL) return 0;
      break;
    default:
      return 0;
  }
  if (symbol.st_shndx == SHN_UNDEF || symbol.st_shndx == SHN_ABS) return 0;
  return BindingOf(symbol) == STB_LOCAL ? 1 : 2;
}

// Of those with one start, a symbol without a size may reach the address; one with a size that did
// would be in the list of covering ones.
constexpr int kNoSizeBonus = 10;

// The C library has up to six names for one function (fopen, fopen64, _IO_fopen, ...).
constexpr size_t kMaxAliases = 8;

struct Candidate {
  std::vector<Symbol> aliases;  // of one start and rank
  int rank = 0;

  void Offer(const Symbol& other, int other_rank) {
    const auto place = [](uint64_t start, int at_rank) { return std::pair(start, at_rank); };
    if (!aliases.empty()) {
      const auto mine = place(aliases.front().st_value, rank);
      const auto its = place(other.st_value, other_rank);
      if (its < mine || (its == mine && aliases.size() == kMaxAliases)) return;
      if (mine < its) aliases.clear();
    }
    aliases.push_back(other);
    rank = other_rank;
  }
};

class Search final {
 public:
  Search(const ElfImage& image, const Section& table, std::span<const uint64_t> addresses)
      : image_(image),
        table_(table),
        addresses_(addresses),
        covering_(addresses.size()),
        starting_(addresses.size()) {}

  void Run() {
    std::vector<Symbol> chunk(kChunkSymbols);
    const uint64_t count = table_.sh_size / sizeof(Symbol);
    for (uint64_t done = 0; done < count;) {
      const size_t wanted = std::min<uint64_t>(count - done, kChunkSymbols);
      const uint64_t at = table_.sh_offset + done * sizeof(Symbol);
      const size_t got = image_.Read(at, chunk.data(), wanted * sizeof(Symbol)) / sizeof(Symbol);
      for (size_t i = 0; i < got; ++i) Consider(chunk[i]);
      if (got < wanted) break;  // a damaged size, or a file cut short
      done += got;
    }
    // What starts before the first of two neighbouring addresses starts before the second, too.
    for (size_t i = 1; i < starting_.size(); ++i) {
      if (starting_[i].aliases.empty()) starting_[i] = starting_[i - 1];
    }
  }

  // Symbols that name addresses_[i], all with equal right.
  std::vector<Symbol> Best(size_t i) const {
    if (!covering_[i].aliases.empty()) return covering_[i].aliases;
    if (starting_[i].aliases.empty()) return {};
    const Symbol& nearest = starting_[i].aliases.front();
    const auto& sections = image_.sections();
    if (nearest.st_size != 0 || nearest.st_shndx >= sections.size()) return {};
    const Section& section = sections[nearest.st_shndx];
    const bool inside = (section.sh_flags & SHF_EXECINSTR) != 0 &&
                        addresses_[i] >= section.sh_addr &&
                        addresses_[i] - section.sh_addr < section.sh_size;
    return inside ? starting_[i].aliases : std::vector<Symbol>();
  }

 private:
  void Consider(const Symbol& symbol) {
    const int rank = Rank(symbol);
    if (rank == 0) return;
    const auto first = std::lower_bound(addresses_.begin(), addresses_.end(), symbol.st_value);
    if (first == addresses_.end()) return;
    const auto index = static_cast<size_t>(first - addresses_.begin());
    starting_[index].Offer(symbol, symbol.st_size == 0 ? rank + kNoSizeBonus : rank);
    for (size_t i = index; i < addresses_.size(); ++i) {
      if (addresses_[i] - symbol.st_value >= symbol.st_size || offers_left_ == 0) break;
      --offers_left_;
      covering_[i].Offer(symbol, rank);
    }
  }

  const ElfImage& image_;
  const Section& table_;
  const std::span<const uint64_t> addresses_;
  size_t offers_left_ = kMostOffers;
  std::vector<Candidate> covering_;  // innermost sized symbol around addresses_[i]
  std::vector<Candidate> starting_;  // last symbol that starts in (addresses_[i-1], addresses_[i]]
};

// What names a version behind an @; symbols may hold any character, this one as well.
bool IsVersion(std::string_view text) {
  return text.find_first_not_of(
             "@_.0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") ==
         std::string_view::npos;
}

// "$x", "$d.7": marks of code and data on ARM.
bool IsMark(std::string_view name) {
  return name.size() >= 2 && name[0] == '$' &&
         std::string_view("adtx").find(name[1]) != std::string_view::npos &&
         (name.size() == 2 || name[2] == '.');
}

std::string NameOf(const ElfImage& image, const Section& strings, const Symbol& symbol) {
  if (symbol.st_name >= strings.sh_size) return {};
  std::string name = image.ReadString(strings.sh_offset + symbol.st_name);
  const size_t version = name.find('@', 1);  // malloc@@GLIBC_2.2.5
  if (version != std::string::npos && IsVersion(std::string_view(name).substr(version + 1))) {
    name.resize(version);
  }
  if (IsMark(name)) name.clear();
  return name;
}

// strdup, not __strdup; free, not cfree.  The last word makes it the same in every run.
bool BetterName(const std::string& a, const std::string& b) {
  const auto rating = [](const std::string& name) {
    return std::pair(name.find_first_not_of('_'), name.size());
  };
  return std::pair(rating(a), a) < std::pair(rating(b), b);
}

}  // namespace

void NameFromSymbols(const ElfImage& image, SymbolTable table, std::span<const uint64_t> addresses,
                     std::span<std::string> names) {
  const Section* const section =
      image.FindSection(table == SymbolTable::kFull ? SHT_SYMTAB : SHT_DYNSYM);
  if (section == nullptr || section->sh_entsize != sizeof(Symbol) ||
      section->sh_link >= image.sections().size() || addresses.empty()) {
    return;
  }
  const Section& strings = image.sections()[section->sh_link];
  if (strings.sh_type != SHT_STRTAB) return;
  Search search(image, *section, addresses);
  search.Run();
  for (size_t i = 0; i < addresses.size() && i < names.size(); ++i) {
    if (!names[i].empty()) continue;
    for (const Symbol& symbol : search.Best(i)) {
      std::string name = NameOf(image, strings, symbol);
      if (!name.empty() && (names[i].empty() || BetterName(name, names[i]))) {
        names[i] = std::move(name);
      }
    }
  }
}

}  // namespace heapgauge::elf
