#include <charconv>
#include <limits>

#include "halftone/base/error.h"
#include "halftone/data/glyphs.h"
#include "halftone/data/sources/source.h"

namespace halftone::data {
namespace {

constexpr std::string_view kPrefix = "synthetic:";

struct Options {
  uint64_t count = 1000, seed = 1, offset = 0;
};

// "count=1000&seed=1&offset=0"; each at most once would be stricter than anyone needs, the last wins.
Options parse_options(std::string_view query, const std::string& where) {
  Options options;
  while (!query.empty()) {
    const std::string_view item = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), item.size() + 1));
    const size_t equals = item.find('=');
    const std::string_view key = item.substr(0, equals);
    const std::string_view text = equals == std::string_view::npos ? "" : item.substr(equals + 1);
    uint64_t* value = nullptr;
    if (key == "count") value = &options.count;
    if (key == "seed") value = &options.seed;
    if (key == "offset") value = &options.offset;
    if (value == nullptr) {
      const std::string near = nearest_word(key, std::array<std::string_view, 3>{"count", "seed", "offset"});
      fail(ErrorCode::InvalidArgument, where, "one of count, seed, offset is required, found '{}'{}", key,
           near.empty() ? "" : fmt::format("; did you mean '{}'?", near));
    }
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *value);
    if (error != std::errc() || end != text.data() + text.size() || text.empty()) {
      fail(ErrorCode::InvalidArgument, where, "an integer >= 0 is required for {}, found '{}'", key, text);
    }
  }
  if (options.count > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
    fail(ErrorCode::InvalidArgument, where, "a count below 2^63 is required, found {}", options.count);
  }
  return options;
}

class GlyphSource : public IndexedSource {
 public:
  explicit GlyphSource(const Options& options) : options_(options) {}

  int64_t count() const override { return static_cast<int64_t>(options_.count); }
  std::string id(int64_t index) const override { return fmt::format("glyph {}", picture(index)); }

  Sample decode(int64_t index) const override {
    Glyph glyph = draw_glyph(options_.seed, picture(index));
    Sample sample;
    sample.id = id(index);
    sample.label = glyph.label;
    sample.image = std::move(glyph.image);
    return sample;
  }

 private:
  uint64_t picture(int64_t index) const { return options_.offset + static_cast<uint64_t>(index); }

  Options options_;
};

}  // namespace

Source open_synthetic(const Location& location, const DatasetOptions&) {
  std::string_view text = location.text;
  if (!text.starts_with(kPrefix)) return {};
  text.remove_prefix(kPrefix.size());
  const std::string_view name = text.substr(0, text.find('?'));
  if (name != "glyphs") {
    fail(ErrorCode::InvalidArgument, location.text, "the synthetic set 'glyphs' is required, found '{}'", name);
  }
  text.remove_prefix(std::min(text.size(), name.size() + 1));
  return std::make_shared<const GlyphSource>(parse_options(text, location.text));
}

}  // namespace halftone::data
