// A connection to heapgauge-serve: whatever bytes a client sends, over a directory with reports.
#include <httplib.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>

#include "report/json_writer.h"
#include "sample_report.h"
#include "serve/routes.h"
#include "serve/server.h"
#include "target.h"

namespace heapgauge::fuzz {
namespace {

void Insist(bool holds) {
  if (!holds) std::abort();
}

constexpr char kToken[] = "correct-horse";

class Connection final : public httplib::Stream {
 public:
  Connection(const uint8_t* data, size_t size)
      : left_(reinterpret_cast<const char*>(data)), size_(size) {}
  bool is_readable() const override { return true; }
  bool is_writable() const override { return true; }
  ssize_t read(char* to, size_t size) override {
    const size_t taken = std::min(size, size_);
    std::memcpy(to, left_, taken);
    left_ += taken;
    size_ -= taken;
    return static_cast<ssize_t>(taken);
  }
  ssize_t write(const char* from, size_t size) override {
    answer_.append(from, size);
    return static_cast<ssize_t>(size);
  }
  void get_remote_ip_and_port(std::string& ip, int& port) const override {
    ip = "127.0.0.1";
    port = 40000;
  }
  void get_local_ip_and_port(std::string& ip, int& port) const override {
    ip = "127.0.0.1";
    port = 9191;
  }
  socket_t socket() const override { return 0; }
  bool over() const { return size_ == 0; }
  std::string& answer() { return answer_; }

 private:
  const char* left_;
  size_t size_;
  std::string answer_;
};

class Server final : public httplib::Server {
 public:
  // One request; false: the connection is to be closed.
  bool Answer(httplib::Stream& connection) {
    bool closed = false;
    return process_request(connection, false, closed, nullptr) && !closed;
  }
};

// Without a token, and with one; of a directory, so that there is no process to ask.
struct World {
  explicit World(const std::string& token)
      : directory(std::filesystem::temp_directory_path() /
                  ("heapgauge_fuzz_" + token + std::to_string(getpid()))),
        watch({std::chrono::seconds(15), 96}),
        routes(MakeReports(directory), 0, !token.empty(), &watch) {
    serve::Settings settings;
    settings.token = token;
    serve::Prepare(settings, &server);
    routes.AddTo(&server);
    routes.Stop();  // what waits for another report does not
  }
  ~World() { std::filesystem::remove_all(directory); }

  static std::string MakeReports(const std::filesystem::path& directory) {
    std::filesystem::create_directories(directory);
    std::ofstream file(directory / "reports.jsonl", std::ios::trunc);
    for (uint64_t i = 1; i < 4; ++i) file << ToJson(SampleReport(i, i == 2)) << '\n';
    return directory.string();
  }

  const std::filesystem::path directory;
  serve::ConnectionWatch watch;
  serve::Routes routes;
  Server server;
};

// A file that no answer may show.
const std::string& Passwords() {
  static const std::string text = [] {
    std::ifstream file("/etc/passwd");
    return std::string(std::istreambuf_iterator<char>(file), {});
  }();
  Insist(text.size() > 200);
  return text;
}

bool Has(std::string_view text, std::string_view what) {
  return text.find(what) != std::string_view::npos;
}

void Send(World& world, bool token, const uint8_t* data, size_t size) {
  const Guarded bytes(data, size);
  Connection connection(bytes.begin(), size);
  for (int requests = 0; requests < 20 && !connection.over(); ++requests) {
    connection.answer().clear();
    const bool open = world.server.Answer(connection);
    const std::string_view answer = connection.answer();
    // Nothing of the reports without a token or the right host.
    const std::string_view text(reinterpret_cast<const char*>(bytes.begin()), size);
    const bool good = answer.starts_with("HTTP/1.1 200");
    if (token && !Has(text, kToken)) Insist(!good);
    if (!token && !Has(text, "127.") && !Has(text, "localhost") && !Has(text, "[")) {
      Insist(!good);
    }
    // Whole: a line of it the fuzzer learns from the comparison, and sends as something to be quoted.
    Insist(!Has(answer, Passwords()));
    if (!open) break;
  }
}

}  // namespace

void RunTarget(const uint8_t* data, size_t size) {
  static World plain("");
  static World guarded(kToken);
  Send(plain, false, data, size);
  Send(guarded, true, data, size);
}

std::vector<Bytes> Seeds() {
  std::vector<Bytes> seeds;
  const std::string host = " HTTP/1.1\r\nHost: 127.0.0.1\r\n";
  const std::string token = "Authorization: Bearer " + std::string(kToken) + "\r\n";
  for (const std::string& text :
       {"GET /" + host + "\r\n", "GET /report.json" + host + token + "\r\n",
        "GET /debug/pprof/heap?seconds=5" + host + token + "\r\nGET /metrics" + host + "\r\n",
        "GET /page.json?after=3" + host + "Range: bytes=0-5,7-\r\n\r\n",
        "HEAD /history.json" + host + "Accept-Encoding: gzip, br\r\nConnection: close\r\n\r\n",
        "POST /config" + host + token + "Content-Length: 21\r\n\r\nSAMPLE_INTERVAL=64KiB",
        "POST /config" + host + token +
            "Transfer-Encoding: chunked\r\n\r\n5\r\nA=1\r\n\r\n0\r\n\r\n",
        "POST /snapshot" + host + "Origin: http://evil.example\r\nExpect: 100-continue\r\n\r\n",
        "POST /config" + host + token +
            "Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 60\r\n\r\n"
            "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nb\r\n--x--\r\n",
        "GET /../../../../etc/passwd" + host + "\r\n",
        std::string("GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n"),
        std::string("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        "OPTIONS *" + host + "\r\nDELETE /" + host + "\r\n",
        "GET /%2e%2e/%00/%u0041?a=%zz&&=&b" + host + "\r\n"}) {
    seeds.emplace_back(text.begin(), text.end());
  }
  return seeds;
}

}  // namespace heapgauge::fuzz
