#include "cli/report_call.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <new>

#include "base/descriptor.h"
#include "report/safe_path.h"

namespace heapgauge::cli {
namespace {

constexpr unsigned kNoExecSeal = 8;  // MFD_NOEXEC_SEAL, from Linux 6.3 on; some systems demand it
constexpr size_t kPageBytes = 4096;

int MakeFile() {
  int file = memfd_create(RunPage::kName, MFD_CLOEXEC | MFD_ALLOW_SEALING | kNoExecSeal);
  if (file < 0 && errno == EINVAL) {
    file = memfd_create(RunPage::kName, MFD_CLOEXEC | MFD_ALLOW_SEALING);
  }
  // The numbers of the standard streams are CMD's, even where we began without them.
  file = AboveStandard(file);
  if (file < 0) return -1;
  if (ftruncate(file, kPageBytes) == 0 &&
      fcntl(file, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0) {
    return file;
  }
  close(file);
  return -1;
}

}  // namespace

ReportCall::ReportCall() : file_(MakeFile()) {
  if (file_ < 0) return;
  void* const page = mmap(nullptr, kPageBytes, PROT_READ | PROT_WRITE, MAP_SHARED, file_, 0);
  if (page != MAP_FAILED) page_ = new (page) RunPage;
}

ReportCall::~ReportCall() {
  if (page_ != nullptr) munmap(page_, kPageBytes);
  if (file_ >= 0) close(file_);
}

bool ReportCall::Ask(int signal) {
  if (page_ == nullptr || !Answered()) return false;
  ++number_;
  // release: pairs with the acquire of those who look.
  page_->request.store(number_ << RunPage::kSignalBits | static_cast<uint32_t>(signal),
                       std::memory_order_release);
  return !Answered();
}

bool ReportCall::Answered() const {
  if (page_ == nullptr || number_ == 0) return true;
  struct flock bytes = RunPageBytes(F_WRLCK, number_, 1);
  // Where the kernel does not know such locks there is nobody to wait for.
  return fcntl(file_, F_OFD_GETLK, &bytes) != 0 || bytes.l_type == F_UNLCK;
}

}  // namespace heapgauge::cli
