// Where long work says how far it is. The library never prints; a front-end passes a sink.
#pragma once

#include <cstdint>
#include <string_view>

namespace halftone {

// Called from the thread that started the work only, at most a few times per item of work.
class ProgressSink {
 public:
  virtual ~ProgressSink() = default;
  // A phase of `total` items begins (0: unknown); `unit` names an item, e.g. "images".
  virtual void begin(std::string_view phase, int64_t total, std::string_view unit) = 0;
  virtual void advance(int64_t done) = 0;
  // How the phase goes, in a few words, to be shown where it is.
  virtual void status(std::string_view /*text*/) {}
  virtual void end() = 0;
  // A one-line remark for the user.
  virtual void note(std::string_view text) = 0;
};

// Takes everything and says nothing.
ProgressSink& silent_progress();

}  // namespace halftone
