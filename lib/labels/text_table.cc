#include "labels/text_table.h"

#include <cstring>
#include <new>

namespace heapgauge {

void TextTable::Initialize(PageArena& arena, size_t limit_bytes, uint32_t most) noexcept {
  arena_ = &arena;
  limit_bytes_ = limit_bytes;
  most_ = most;
}

uint32_t TextTable::Hash(std::string_view text) noexcept {
  uint32_t hash = 0x811C9DC5U;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x01000193U;
  return hash ^ (hash >> 15);
}

const TextTable::Node* TextTable::Search(const Node* from, const Node* to, uint32_t hash,
                                         std::string_view text) noexcept {
  for (const Node* node = from; node != to; node = node->next) {
    if (node->hash == hash && node->size == text.size() &&
        std::memcmp(node->text(), text.data(), text.size()) == 0) {
      return node;
    }
  }
  return nullptr;
}

void* TextTable::Take(size_t bytes) noexcept {
  // relaxed, all: the counter guards only itself.
  if (arena_ == nullptr ||
      used_bytes_.fetch_add(bytes, std::memory_order_relaxed) + bytes > limit_bytes_) {
    used_bytes_.fetch_sub(bytes, std::memory_order_relaxed);
    return nullptr;
  }
  void* const memory = arena_->Allocate(bytes);
  if (memory == nullptr) used_bytes_.fetch_sub(bytes, std::memory_order_relaxed);
  return memory;
}

TextTable::Node* TextTable::Make(std::string_view text, uint32_t hash, uint16_t note) noexcept {
  void* const memory = Take(sizeof(Node) + text.size());
  if (memory == nullptr) return nullptr;
  Node* const node = new (memory) Node{};
  node->hash = hash;
  node->size = static_cast<uint32_t>(text.size());
  node->note = note;
  std::memcpy(node->text(), text.data(), text.size());
  return node;
}

bool TextTable::Register(Node* node) noexcept {
  // relaxed, both: a number of its own for each.
  uint32_t last = last_.load(std::memory_order_relaxed);
  do {
    if (last >= most_) return false;
  } while (!last_.compare_exchange_weak(last, last + 1, std::memory_order_relaxed,
                                        std::memory_order_relaxed));
  const uint32_t index = last + 1;
  node->index = static_cast<uint16_t>(index);
  Atomic<Page*>& place = pages_[index >> kPageBits];
  // acquire, also below: pairs with the release; the page is empty, not unwritten.
  Page* page = place.load(std::memory_order_acquire);
  if (page == nullptr) {
    // Empty as it is: arena memory is zero.
    Page* const fresh = static_cast<Page*>(Take(sizeof(Page)));
    if (fresh == nullptr) return false;
    if (place.compare_exchange_strong(page, fresh, std::memory_order_release,
                                      std::memory_order_acquire)) {
      page = fresh;
    }
  }
  // release: publishes the node to At() (X1).
  (*page)[index % page->size()].store(node, std::memory_order_release);
  return true;
}

uint16_t TextTable::Intern(std::string_view text, uint16_t note) noexcept {
  const uint32_t hash = Hash(text);
  Atomic<const Node*>& head = heads_[hash % kHeads];
  // acquire: pairs with the release below; every node that is reached is complete.
  const Node* first = head.load(std::memory_order_acquire);
  if (const Node* const found = Search(first, nullptr, hash, text)) return found->index;
  // A full table is asked without end: no memory is used up for that.
  if (last() >= most_) return 0;
  Node* const fresh = Make(text, hash, note);
  if (fresh == nullptr || !Register(fresh)) return 0;
  const Node* compared = first;
  fresh->next = first;
  // release: publishes the node.  acquire: newcomers are compared.
  while (!head.compare_exchange_weak(first, fresh, std::memory_order_release,
                                     std::memory_order_acquire)) {
    // The index of `fresh` stays with the same text, which does no harm.
    if (const Node* const found = Search(first, compared, hash, text)) return found->index;
    compared = first;
    fresh->next = first;
  }
  return fresh->index;
}

uint16_t TextTable::Find(std::string_view text) const noexcept {
  const uint32_t hash = Hash(text);
  // acquire: as in Intern().
  const Node* const first = heads_[hash % kHeads].load(std::memory_order_acquire);
  const Node* const found = Search(first, nullptr, hash, text);
  return found != nullptr ? found->index : uint16_t{0};
}

const TextTable::Node* TextTable::NodeAt(uint16_t index) const noexcept {
  // acquire, both: pair with the releases in Register().
  const Page* const page = pages_[index >> kPageBits].load(std::memory_order_acquire);
  if (page == nullptr) return nullptr;
  return (*page)[index % page->size()].load(std::memory_order_acquire);
}

std::string_view TextTable::At(uint16_t index) const noexcept {
  const Node* const node = NodeAt(index);
  return node != nullptr ? std::string_view(node->text(), node->size) : std::string_view();
}

uint16_t TextTable::NoteAt(uint16_t index) const noexcept {
  const Node* const node = NodeAt(index);
  return node != nullptr ? node->note : uint16_t{0};
}

}  // namespace heapgauge
