#include "halftone/data/internal/shards.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>

#include "halftone/base/error.h"

namespace halftone::data {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kMostShards = 100'000;

std::optional<int64_t> parse_number(std::string_view text) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < 0) return std::nullopt;
  return number;
}

}  // namespace

bool is_shard_name(const std::string& name) {
  return name.ends_with(".tar") || name.ends_with(".tar.gz") || name.ends_with(".tgz");
}

std::vector<std::string> expand_braces(const std::string& pattern) {
  const size_t open = pattern.find('{'), close = pattern.find('}', open);
  if (open == std::string::npos || close == std::string::npos) return {pattern};
  const std::string_view range = std::string_view(pattern).substr(open + 1, close - open - 1);
  const size_t dots = range.find("..");
  const auto first = parse_number(range.substr(0, dots));
  const auto last = dots == std::string_view::npos ? std::nullopt : parse_number(range.substr(dots + 2));
  if (!first || !last || *last < *first || *last - *first >= kMostShards) {
    fail(ErrorCode::InvalidArgument, pattern, "a range like {{00..09}} of at most {} shards is required, found {{{}}}",
         kMostShards, range);
  }
  std::vector<std::string> names;
  for (int64_t i = *first; i <= *last; ++i) {
    names.push_back(fmt::format("{}{:0{}}{}", pattern.substr(0, open), i, dots, pattern.substr(close + 1)));
  }
  return names;
}

std::vector<fs::path> find_shards(const Location& location) {
  // POSIX tar says so at byte 257; older ones are known by their names.
  const bool is_tar = location.head.size() > 262 && location.head.compare(257, 5, "ustar") == 0;
  if (location.is_file)
    return is_tar || is_shard_name(location.text) ? std::vector{location.path} : std::vector<fs::path>{};
  std::vector<fs::path> shards;
  std::error_code error;
  if (location.is_folder) {
    if (fs::exists(location.path / "labels.csv", error)) return {};
    for (fs::directory_iterator it(location.path, error), end; !error && it != end; it.increment(error)) {
      if (is_shard_name(it->path().filename().string())) shards.push_back(it->path());
    }
    std::ranges::sort(shards);
    return shards;
  }
  if (!is_shard_name(location.text)) return {};
  for (const std::string& name : expand_braces(location.text)) {
    if (!fs::is_regular_file(name, error)) fail(ErrorCode::Io, name, "no such shard");
    shards.emplace_back(name);
  }
  return shards;
}

}  // namespace halftone::data
