#include "halftone/quant/observers/parameter.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "halftone/base/error.h"

namespace halftone {

double number_parameter(std::string_view observer, std::string_view text, double fallback, double low, double high) {
  if (text.empty()) return fallback;
  double number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, code] = std::from_chars(text.data(), end, number);
  // Written so that NaN is refused as well.
  if (code != std::errc() || stop != end || !(number >= low && number <= high)) {
    fail(ErrorCode::InvalidArgument, observer, "a number from {} to {} is required after the colon, found '{}'", low,
         high, text);
  }
  return number;
}

std::optional<size_t> word_parameter(std::string_view observer, std::string_view text,
                                     std::span<const std::string_view> words) {
  if (text.empty()) return std::nullopt;
  const auto found = std::find(words.begin(), words.end(), text);
  if (found == words.end()) {
    fail(ErrorCode::InvalidArgument, observer, "{} is required after the colon, found '{}'", fmt::join(words, " or "),
         text);
  }
  return static_cast<size_t>(found - words.begin());
}

void no_parameter(std::string_view observer, std::string_view text) {
  if (!text.empty()) fail(ErrorCode::InvalidArgument, observer, "no parameter is taken, found '{}'", text);
}

}  // namespace halftone
