// What happened in a training, line by line; docs/training.md lists the events.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>

namespace halftone::train {

// A file of JSON lines, each written out at once, so that it can be watched, and what a killed process leaves is whole
// but for its last line.
class RunLog {
 public:
  // Begins anew, or, where a run goes on, behind its first `size` bytes, what follows them being cut off: steps that a
  // checkpoint doesn't hold will be made again. An empty path: nothing is written. Errors: Error{Io}; where another
  // process writes the same file.
  explicit RunLog(std::filesystem::path path, int64_t size = 0);
  ~RunLog();
  RunLog(const RunLog&) = delete;
  RunLog& operator=(const RunLog&) = delete;

  // Errors: Error{Io} for a full disk; the line is left out then, and the next one may be written.
  void write(const nlohmann::ordered_json& event);
  int64_t size() const { return size_; }

 private:
  std::filesystem::path path_;
  int descriptor_ = -1;
  int64_t size_ = 0;
};

}  // namespace halftone::train
