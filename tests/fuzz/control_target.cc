// Packets of the control socket, from either end; and settings that a client of the server posts.
#include <cstdlib>
#include <string>

#include "control/control_message.h"
#include "serve/commands.h"
#include "serve/request_gate.h"
#include "serve/settings.h"
#include "target.h"

namespace heapgauge::fuzz {
namespace {

void Insist(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

void RunTarget(const uint8_t* data, size_t size) {
  const Guarded packet(data, size);
  const std::string_view text(reinterpret_cast<const char*>(packet.begin()), size);
  for (const std::string& word : ParseQuestion(text)) {
    Insist(word.find('\n') == std::string::npos && word.find('\t') == std::string::npos);
  }
  if (const auto answer = ParseAnswer(text)) {
    std::vector<std::pair<std::string, std::string>> values(answer->values.begin(),
                                                            answer->values.end());
    const auto again = ParseAnswer(MakeAnswer(answer->good, values));
    Insist(again.has_value() && again->good == answer->good);
  }
  Insist(MakeRefusal(text).size() <= kMostControlBytes);
  const std::string whole(text);
  if (const auto settings = serve::ParseSettings(whole); settings.ok()) {
    for (const auto& [name, value] : *settings) Insist(name.size() + value.size() <= size);
  }
  // Halves: a token and what a client gives for it; whence it comes and whither.
  const std::string first = whole.substr(0, size / 2);
  const std::string second = whole.substr(size / 2);
  if (!first.empty() && second != "Bearer " + first) {
    Insist(serve::Judge(first, "localhost", second).status == 401);
  }
  if (serve::Judge("", whole, "").status == 0) {
    Insist(whole.find("localhost") != std::string::npos ||
           whole.find("127.") != std::string::npos || whole.find(':') != std::string::npos);
  }
  serve::ComesFromElsewhere(first, second);
  std::string host;
  int port = -1;
  if (serve::SplitAddress(whole, &host, &port)) Insist(port >= 0 && port <= 65535);
}

std::vector<Bytes> Seeds() {
  std::vector<Bytes> seeds;
  for (const std::string& text :
       {std::string("hello"), std::string("set\tSAMPLE_INTERVAL\t64KiB"),
        std::string("ok\npid\t4242\ndirectory\t/srv/hg\nservice\tcheckout"),
        MakeRefusal("REPORT_INTERVAL=1 is not understood"),
        std::string("SAMPLE_INTERVAL=64KiB\nREPORT_INTERVAL=5s\n"),
        std::string("{\"SAMPLE_INTERVAL\": \"64KiB\", \"report_interval\": \"5s\"}"),
        std::string("secretBearer secret"), std::string("127.0.0.1:9191"), std::string("[::1]:80"),
        std::string("localhost")}) {
    seeds.emplace_back(text.begin(), text.end());
  }
  return seeds;
}

}  // namespace heapgauge::fuzz
