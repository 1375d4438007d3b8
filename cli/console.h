// Where a command's results and remarks go: results to standard output, everything else to standard error.
#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "halftone/base/file.h"
#include "halftone/base/progress.h"

namespace halftone::cli {

class Console {
 public:
  struct Options {
    bool quiet = false;  // no progress, no remarks
    std::string json;    // also write results as JSON to this file; "-": to standard output, instead of text
  };

  // Errors: Error{Io} where --json names a file that can't be written, which is better known before the work.
  explicit Console(Options options);
  ~Console();

  // A bar with rate and remaining time on a terminal, a plain line per phase otherwise, nothing with quiet.
  ProgressSink& progress() { return progress_ ? *progress_ : silent_progress(); }

  // Text results, without what terminals take for commands; dropped when JSON takes standard output. Errors: Error{Io}
  // when standard output can't take it.
  void print(std::string_view text);
  // One line to standard error, unless quiet.
  void remark(std::string_view text);
  // One line to standard error, even when quiet.
  void warn(std::string_view text);

  // What the program ends with; 0 unless told otherwise.
  void set_exit_code(int code) { exit_code_ = code; }
  int exit_code() const { return exit_code_; }

  // Writes `result` where --json says, whole or not at all. Numbers that are not finite become null.
  void write_json(const nlohmann::ordered_json& result);

 private:
  Options options_;
  int exit_code_ = 0;
  std::unique_ptr<ProgressSink> progress_;  // none with quiet
  std::unique_ptr<AtomicFile> json_;        // none without --json, or with "-"
};

}  // namespace halftone::cli
