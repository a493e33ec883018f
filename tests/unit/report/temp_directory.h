// A directory that is there for one test.
#ifndef HEAPGAUGE_TESTS_UNIT_REPORT_TEMP_DIRECTORY_H_
#define HEAPGAUGE_TESTS_UNIT_REPORT_TEMP_DIRECTORY_H_

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>

namespace heapgauge {

class TempDirectory final {
 public:
  TempDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "heapgauge_test.XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary directory");
    path_ = name;
  }
  ~TempDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempDirectory(const TempDirectory&) = delete;
  TempDirectory& operator=(const TempDirectory&) = delete;

  std::string operator/(const std::string& name) const { return (path_ / name).string(); }
  const std::filesystem::path& path() const { return path_; }

  // Writes a file and returns its path.
  std::string Write(const std::string& name, const std::string& content) const {
    std::ofstream(path_ / name, std::ios::binary) << content;
    return *this / name;
  }
  std::string Read(const std::string& name) const {
    std::ostringstream content;
    content << std::ifstream(path_ / name, std::ios::binary).rdbuf();
    return content.str();
  }

 private:
  std::filesystem::path path_;
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_TESTS_UNIT_REPORT_TEMP_DIRECTORY_H_
