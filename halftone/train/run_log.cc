#include "halftone/train/run_log.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>

#include "halftone/base/error.h"

namespace halftone::train {

RunLog::RunLog(std::filesystem::path path, int64_t size) : path_(std::move(path)), size_(size) {
  if (path_.empty()) return;
  descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
  if (descriptor_ < 0) fail(ErrorCode::Io, path_.string(), "can't write the log: {}", std::strerror(errno));
  if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    fail(ErrorCode::Io, path_.string(), "another training writes this log; give this one another name");
  }
  struct stat file {};
  if (::fstat(descriptor_, &file) != 0 || !S_ISREG(file.st_mode)) return;  // a pipe has no length to cut
  size_ = std::min<int64_t>(size_, file.st_size);
  if (::ftruncate(descriptor_, size_) != 0 || ::lseek(descriptor_, size_, SEEK_SET) < 0) {
    fail(ErrorCode::Io, path_.string(), "can't go on with the log: {}", std::strerror(errno));
  }
}

RunLog::~RunLog() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void RunLog::write(const nlohmann::ordered_json& event) {
  if (descriptor_ < 0) return;
  const std::string line = event.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
  for (size_t written = 0; written < line.size();) {
    const ssize_t count = ::write(descriptor_, line.data() + written, line.size() - written);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) {
      const int reason = errno;
      // Half a line would spoil the next one; where the file can't be cut either, it ends in half a line.
      if (::ftruncate(descriptor_, size_) == 0) ::lseek(descriptor_, size_, SEEK_SET);
      fail(ErrorCode::Io, path_.string(), "can't write the log: {}", std::strerror(reason));
    }
    written += static_cast<size_t>(count);
  }
  size_ += static_cast<int64_t>(line.size());
}

}  // namespace halftone::train
