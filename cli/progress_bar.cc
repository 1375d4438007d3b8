#include "cli/progress_bar.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>

#include "halftone/base/text.h"

namespace halftone::cli {
namespace {

using Clock = std::chrono::steady_clock;

class ProgressBar final : public ProgressSink {
 public:
  explicit ProgressBar(bool terminal) : terminal_(terminal) {}

  void begin(std::string_view phase, int64_t total, std::string_view unit) override {
    phase_ = phase;
    unit_ = unit;
    total_ = total;
    done_ = 0;
    status_.clear();
    start_ = drawn_ = Clock::now();
    if (terminal_) draw();
  }

  void advance(int64_t done) override {
    done_ = done;
    // Redrawing costs a system call; ten times a second is smooth enough.
    if (!terminal_ || Clock::now() - drawn_ < std::chrono::milliseconds(100)) return;
    drawn_ = Clock::now();
    draw();
  }

  void status(std::string_view text) override { status_ = text; }

  void end() override {
    clear();
    const double seconds = elapsed();
    fmt::print(stderr, "{}: {} {} in {:.1f} s ({:.1f}/s)\n", phase_, done_, unit_, seconds,
               static_cast<double>(done_) / std::max(seconds, 1e-9));
  }

  void note(std::string_view text) override {
    clear();
    fmt::print(stderr, "{}\n", printable(text));
  }

 private:
  double elapsed() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }

  void clear() const {
    if (terminal_) fmt::print(stderr, "\r\x1b[K");
  }

  void draw() const {
    const double seconds = std::max(elapsed(), 1e-9);
    const double rate = static_cast<double>(done_) / seconds;
    std::string line = fmt::format("\r\x1b[K{} ", phase_);
    if (total_ > 0) {
      constexpr int64_t kWidth = 24;
      const auto filled = static_cast<size_t>(std::min(kWidth, done_ * kWidth / total_));
      line += fmt::format("[{}{}] {}/{}", std::string(filled, '#'), std::string(kWidth - filled, '.'), done_, total_);
    } else {
      line += fmt::format("{}", done_);
    }
    line += fmt::format(" {}  {:.1f}/s", unit_, rate);
    if (total_ > 0 && done_ > 0) line += "  " + format_duration(static_cast<double>(total_ - done_) / rate) + " left";
    if (!status_.empty()) line += "  " + status_;
    fmt::print(stderr, "{}", line);
    std::fflush(stderr);
  }

  bool terminal_;
  std::string phase_, unit_, status_;
  int64_t total_ = 0, done_ = 0;
  Clock::time_point start_, drawn_;
};

}  // namespace

std::unique_ptr<ProgressSink> make_progress_bar() { return std::make_unique<ProgressBar>(isatty(STDERR_FILENO) != 0); }

std::string format_duration(double seconds) {
  const auto whole = static_cast<int64_t>(seconds + 0.5);
  if (whole >= 3600) return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
  return fmt::format("{}:{:02}", whole / 60, whole % 60);
}

}  // namespace halftone::cli
