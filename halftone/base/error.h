// The room `base`: errors and checks, random numbers, CPU features, threads, progress, files. It sees no other room.
//
// Errors have two kinds. A user's mistake (a damaged model, a wrong option, a full disk) throws `Error`, whose message
// has one form: where it happened, what was required, what was found, what to do. Our own bug throws `InternalError`
// through HT_CHECK. Nothing in the library prints, aborts or exits.
#pragma once

#include <fmt/core.h>

#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace halftone {

enum class ErrorCode {
  InvalidModel,     // the network contradicts itself or the ONNX standard
  InvalidArgument,  // an option, a recipe or a call's argument can't be used
  InvalidData,      // an image, a label or a tensor file can't be read
  Unsupported,      // valid, but Halftone can't do it
  Io,               // the file system refused
  NumericRange,     // a number leaves the range in which the arithmetic is exact
};

// The ErrorCode's name as it stands above, e.g. "InvalidModel".
std::string_view name_of(ErrorCode code);

// A mistake outside the library. `what()` is one line: "where: message".
class Error : public std::runtime_error {
 public:
  Error(ErrorCode code, std::string_view where, std::string_view message);
  ErrorCode code() const { return code_; }
  // The file, node or option at fault, without the message.
  const std::string& where() const { return where_; }

 private:
  ErrorCode code_;
  std::string where_;
};

// A bug of Halftone's own; `what()` names the source line.
class InternalError : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

// Throws Error. `where` is the file, node or option; the rest is a fmt format: what was required, what was found and,
// where it helps, what to do.
template <typename... Args>
[[noreturn]] void fail(ErrorCode code, std::string_view where, fmt::format_string<Args...> format, Args&&... args) {
  throw Error(code, where, fmt::format(format, std::forward<Args>(args)...));
}

namespace internal {
[[noreturn]] void check_failed(const char* file, int line, const char* condition, const std::string& message);
}  // namespace internal

// Throws InternalError unless `condition` holds. Optional further arguments are a fmt format, evaluated only on
// failure.
#define HT_CHECK(condition, ...)                                                                         \
  do {                                                                                                   \
    if (!(condition)) [[unlikely]]                                                                       \
      ::halftone::internal::check_failed(__FILE__, __LINE__, #condition, ::fmt::format("" __VA_ARGS__)); \
  } while (false)

// The entry of `candidates` that is closest to `word` by edit distance, or "" when none is near enough to suggest.
template <typename Range>
std::string nearest_word(std::string_view word, const Range& candidates);

// Edit distance (insert, delete, replace, swap of neighbours). Cost: O(|a| |b|).
int edit_distance(std::string_view a, std::string_view b);

template <typename Range>
std::string nearest_word(std::string_view word, const Range& candidates) {
  std::string best;
  int best_distance = static_cast<int>(word.size()) / 3 + 2;
  for (const auto& candidate : candidates) {
    const int distance = edit_distance(word, candidate);
    if (distance < best_distance) {
      best_distance = distance;
      best = std::string(candidate);
    }
  }
  return best;
}

}  // namespace halftone
