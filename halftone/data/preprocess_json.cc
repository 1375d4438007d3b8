#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <initializer_list>
#include <nlohmann/json.hpp>

#include "halftone/base/error.h"
#include "halftone/data/preprocess.h"

namespace halftone::data {
namespace {

using Json = nlohmann::ordered_json;

constexpr int64_t kMostSide = 1 << 14;
constexpr size_t kMostText = size_t{1} << 20, kMostDepth = 8;
constexpr std::array<std::string_view, 3> kFilterNames = {"nearest", "bilinear", "bicubic"};  // as in Filter

// One JSON object being read: every key must be known and of the right type.
class Reader {
 public:
  Reader(const Json& object, std::string where, std::initializer_list<std::string_view> keys)
      : object_(object), where_(std::move(where)) {
    if (!object.is_object()) fail(ErrorCode::InvalidArgument, where_, "a JSON object is required");
    for (const auto& [key, value] : object.items()) {
      if (std::ranges::find(keys, key) != keys.end()) continue;
      const std::string near = nearest_word(key, keys);
      fail(ErrorCode::InvalidArgument, where_, "unknown key '{}'{}", key,
           near.empty() ? "" : fmt::format("; did you mean '{}'?", near));
    }
  }

  const Json* find(std::string_view key) const {
    const auto it = object_.find(std::string(key));
    return it == object_.end() ? nullptr : &*it;
  }

  // One of `words`, as its position.
  template <size_t kCount>
  size_t word(std::string_view key, const std::array<std::string_view, kCount>& words, size_t fallback) const {
    const Json* value = find(key);
    if (value == nullptr) return fallback;
    const std::string text = value->is_string() ? value->get<std::string>() : value->dump();
    const auto it = std::ranges::find(words, text);
    if (it == words.end() || !value->is_string()) {
      const std::string near = nearest_word(text, words);
      wrong(key, fmt::format("one of {}", fmt::join(words, ", ")), *value,
            near.empty() ? "" : fmt::format("; did you mean '{}'?", near));
    }
    return static_cast<size_t>(it - words.begin());
  }

  bool flag(std::string_view key, bool fallback) const {
    const Json* value = find(key);
    if (value == nullptr) return fallback;
    if (!value->is_boolean()) wrong(key, "true or false", *value);
    return value->get<bool>();
  }

  // An integer in [low, high].
  int64_t integer(std::string_view key, int64_t fallback, int64_t low, int64_t high) const {
    const Json* value = find(key);
    if (value == nullptr) return fallback;
    const bool fits = value->is_number_integer() &&
                      (!value->is_number_unsigned() || value->get<uint64_t>() <= static_cast<uint64_t>(INT64_MAX)) &&
                      value->get<int64_t>() >= low && value->get<int64_t>() <= high;
    if (!fits) wrong(key, fmt::format("an integer from {} to {}", low, high), *value);
    return value->get<int64_t>();
  }

  // `count` finite numbers; above zero where `positive`.
  std::vector<float> numbers(std::string_view key, size_t count, float fallback, bool positive) const {
    const Json* value = find(key);
    if (value == nullptr) return std::vector<float>(count, fallback);
    std::vector<float> result;
    bool fits = value->is_array() && value->size() == count;
    for (size_t i = 0; fits && i < count; ++i) {
      const Json& entry = (*value)[i];
      fits = entry.is_number();
      if (!fits) break;
      result.push_back(entry.get<float>());
      fits = std::isfinite(result.back()) && (!positive || result.back() > 0);
    }
    if (!fits) wrong(key, fmt::format("an array of {} {}numbers", count, positive ? "positive " : ""), *value);
    return result;
  }

 private:
  [[noreturn]] void wrong(std::string_view key, const std::string& required, const Json& found,
                          const std::string& advice = "") const {
    // Invalid UTF-8 from the file must not throw here.
    const std::string text = found.dump(-1, ' ', false, Json::error_handler_t::replace).substr(0, 60);
    fail(ErrorCode::InvalidArgument, where_, "{} is required for '{}', found {}{}", required, key, text, advice);
  }

  const Json& object_;
  std::string where_;
};

Json parse(const std::string& text, const std::string& where) {
  if (text.size() > kMostText) {
    fail(ErrorCode::InvalidArgument, where, "a recipe of at most 1 MiB is required, found {} bytes", text.size());
  }
  // The parser itself is iterative, but destroying or printing a deep tree is not.
  const auto limit_depth = [&](int depth, Json::parse_event_t, Json&) {
    if (depth > static_cast<int>(kMostDepth)) fail(ErrorCode::InvalidArgument, where, "the JSON is nested too deeply");
    return true;
  };
  try {
    return Json::parse(text, limit_depth);
  } catch (const Json::parse_error& error) {
    fail(ErrorCode::InvalidArgument, where, "JSON is required; byte {} can't be read", error.byte);
  }
}

}  // namespace

Preprocess Preprocess::from_json(const std::string& text, const std::string& where) {
  const Json json = parse(text, where);
  const Reader top(json, where, {"color", "layout", "resize", "crop", "mean", "std", "label_offset"});
  constexpr std::array<std::string_view, 3> kColors = {"RGB", "BGR", "GRAY"};
  constexpr std::array<std::string_view, 2> kLayouts = {"NCHW", "NHWC"};
  Preprocess recipe;
  recipe.color = kColors[top.word("color", kColors, 0)];
  recipe.layout = kLayouts[top.word("layout", kLayouts, 0)];
  if (const Json* object = top.find("resize")) {
    const Reader resize(*object, where + ": resize", {"height", "width", "filter", "antialias"});
    recipe.height = resize.integer("height", 0, 0, kMostSide);
    recipe.width = resize.integer("width", 0, 0, kMostSide);
    recipe.filter = static_cast<Filter>(resize.word("filter", kFilterNames, static_cast<size_t>(recipe.filter)));
    recipe.antialias = resize.flag("antialias", false);
  }
  if (const Json* object = top.find("crop")) {
    const Reader crop(*object, where + ": crop", {"height", "width"});
    recipe.crop_height = crop.integer("height", 0, 0, kMostSide);
    recipe.crop_width = crop.integer("width", 0, 0, kMostSide);
  }
  const size_t channels = recipe.color == "GRAY" ? 1 : 3;
  recipe.mean = top.numbers("mean", channels, 0, false);
  recipe.std = top.numbers("std", channels, 1, true);
  constexpr int64_t kMostOffset = int64_t{1} << 31;
  recipe.label_offset = top.integer("label_offset", 0, -kMostOffset, kMostOffset);
  return recipe;
}

std::string Preprocess::to_json() const {
  Json json;
  json["color"] = color;
  json["layout"] = layout;
  json["resize"] = {{"height", height},
                    {"width", width},
                    {"filter", kFilterNames[static_cast<size_t>(filter)]},
                    {"antialias", antialias}};
  if (crop_height > 0 || crop_width > 0) json["crop"] = {{"height", crop_height}, {"width", crop_width}};
  json["mean"] = mean;
  json["std"] = std;
  json["label_offset"] = label_offset;
  return json.dump();
}

}  // namespace halftone::data
