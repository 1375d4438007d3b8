#include "halftone/base/error.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "halftone/base/text.h"

namespace halftone {

std::string_view name_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::InvalidModel:
      return "InvalidModel";
    case ErrorCode::InvalidArgument:
      return "InvalidArgument";
    case ErrorCode::InvalidData:
      return "InvalidData";
    case ErrorCode::Unsupported:
      return "Unsupported";
    case ErrorCode::Io:
      return "Io";
    case ErrorCode::NumericRange:
      return "NumericRange";
  }
  return "unknown";
}

namespace {

// Names come from files; what is in one must not break the "one line" promise.
std::string one_line(std::string_view where, std::string_view message) {
  std::string line;
  if (!where.empty()) line.append(where).append(": ");
  return printable(line.append(message));
}

}  // namespace

Error::Error(ErrorCode code, std::string_view where, std::string_view message)
    : std::runtime_error(one_line(where, message)), code_(code), where_(where) {}

namespace internal {

void check_failed(const char* file, int line, const char* condition, const std::string& message) {
  throw InternalError(fmt::format("{}:{}: check failed: {}{}{} (this is a bug in Halftone, please report it)", file,
                                  line, condition, message.empty() ? "" : ": ", message));
}

}  // namespace internal

int edit_distance(std::string_view a, std::string_view b) {
  const size_t n = b.size();
  std::vector<int> before(n + 1), previous(n + 1), current(n + 1);
  std::iota(previous.begin(), previous.end(), 0);
  for (size_t i = 1; i <= a.size(); ++i) {
    current[0] = static_cast<int>(i);
    for (size_t j = 1; j <= n; ++j) {
      const int replace = previous[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      current[j] = std::min({previous[j] + 1, current[j - 1] + 1, replace});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) current[j] = std::min(current[j], before[j - 2] + 1);
    }
    std::swap(before, previous);
    std::swap(previous, current);
  }
  return previous[n];
}

}  // namespace halftone
