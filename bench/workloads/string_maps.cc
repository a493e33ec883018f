// Text work as application code does it: strings built, split, put into maps and vectors, looked
// up, formatted, dropped.
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "workload.h"

namespace {

std::string Word(workload::Random& random) {
  std::string word;
  const uint64_t letters = random.Between(3, 24);
  for (uint64_t i = 0; i < letters; ++i) word += static_cast<char>('a' + random.Below(26));
  return word;
}

std::vector<std::string> Split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  size_t begin = 0;
  for (size_t at; (at = text.find(separator, begin)) != std::string::npos; begin = at + 1) {
    parts.push_back(text.substr(begin, at - begin));
  }
  parts.push_back(text.substr(begin));
  return parts;
}

}  // namespace

int main(int argc, char** argv) {
  const workload::Arguments arguments(argc, argv, 12'000, 1);
  workload::Random random(13);
  std::vector<std::string> vocabulary;
  for (int i = 0; i < 5000; ++i) vocabulary.push_back(Word(random));
  std::unordered_map<std::string, std::map<std::string, uint64_t>> follows;
  uint64_t result = 0;
  for (long line = 0; line < arguments.scale; ++line) {
    std::string text;
    const uint64_t words = random.Between(4, 30);
    for (uint64_t i = 0; i < words; ++i) {
      if (!text.empty()) text += ' ';
      text += vocabulary[random.Below(vocabulary.size()) * random.Below(vocabulary.size()) /
                         vocabulary.size()];
    }
    const std::vector<std::string> parts = Split(text, ' ');
    for (size_t i = 1; i < parts.size(); ++i) ++follows[parts[i - 1]][parts[i]];
    const std::string key = "line:" + std::to_string(line) + ":" + parts.front();
    result = result * 31 + key.size() + parts.size();
    if (follows.size() > 2000) follows.erase(follows.begin());
  }
  for (const auto& [word, next] : follows) result += word.size() * next.size();
  return workload::Finish(result);
}
