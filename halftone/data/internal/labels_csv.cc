#include "halftone/data/internal/labels_csv.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "halftone/base/error.h"

namespace halftone::data {
namespace {

std::string_view trim(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r";
  const size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

// The two fields of a row, or nullopt where it is no row of two.
std::optional<std::pair<std::string, std::string_view>> split(std::string_view row) {
  std::string name;
  if (!row.starts_with('"')) {
    const size_t comma = row.find(',');
    if (comma == std::string_view::npos) return std::nullopt;
    name = trim(row.substr(0, comma));
    row.remove_prefix(comma);
  } else {
    size_t i = 1;
    for (; i < row.size(); ++i) {
      if (row[i] == '"') {
        if (i + 1 == row.size() || row[i + 1] != '"') break;
        ++i;  // a doubled quote is one of the name
      }
      name.push_back(row[i]);
    }
    if (i >= row.size()) return std::nullopt;
    row.remove_prefix(i + 1);
  }
  if (!row.starts_with(',') || row.find(',', 1) != std::string_view::npos) return std::nullopt;
  return std::pair(std::move(name), trim(row.substr(1)));
}

}  // namespace

std::optional<int64_t> parse_label(std::string_view text) {
  text = trim(text);
  int64_t label = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), label);
  if (error != std::errc() || end != text.data() + text.size() || label < 0) return std::nullopt;
  return label;
}

std::vector<LabelledFile> parse_labels_csv(std::string_view text, const std::string& where) {
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  std::vector<LabelledFile> rows;
  for (int64_t line = 1; !text.empty(); ++line) {
    const std::string_view whole = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), whole.size() + 1));
    const std::string_view row = trim(whole);
    if (row.empty()) continue;
    const auto fields = split(row);
    const auto at = [&] { return fmt::format("{}:{}", where, line); };
    if (!fields || fields->first.empty()) {
      fail(ErrorCode::InvalidData, at(), "a row 'file,label' is required, found '{}'", row.substr(0, 80));
    }
    if (line == 1 && fields->second == "label") continue;
    const std::optional<int64_t> label = parse_label(fields->second);
    if (!label) {
      fail(ErrorCode::InvalidData, at(), "an integer >= 0 is required as label, found '{}'",
           fields->second.substr(0, 80));
    }
    rows.push_back({fields->first, label, line});
  }
  return rows;
}

}  // namespace halftone::data
