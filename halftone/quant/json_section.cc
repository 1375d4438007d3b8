#include "halftone/quant/json_section.h"

#include <algorithm>
#include <cmath>

namespace halftone {
namespace {

using nlohmann::json;

// A value as messages show it; lists and objects may be of any size and depth.
std::string shown(const json& value) {
  if (value.is_array()) return "a list";
  if (value.is_object()) return "an object";
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

StepRequest read_request(const json& entry, const std::string& where, const char* name) {
  if (entry.is_string()) {
    const std::string text = entry.get<std::string>();
    try {
      const std::vector<StepRequest> parsed = parse_steps(text);
      if (parsed.size() == 1) return parsed.front();
    } catch (const Error& e) {
      fail(ErrorCode::InvalidArgument, where, "{}", e.what());
    }
    fail(ErrorCode::InvalidArgument, where, "one name is required, found '{}'", text);
  }
  const JsonSection section(entry, where);
  if (!section.has(name)) section.refuse("\"{}\" is required, its name", name);
  StepRequest request{section.text(name), {}};
  for (const auto& [word, value] : entry.items()) {
    if (word == name) continue;
    if (!value.is_string() && !value.is_number() && !value.is_boolean()) {
      section.refuse("'{}' must be a text, a number, true or false, found {}", word, shown(value));
    }
    request.words[word] = value.is_string() ? value.get<std::string>() : value.dump();
  }
  return request;
}

const json& list_at(const JsonSection& section, const char* key) {
  const json& entries = section.at(key);
  if (!entries.is_array()) section.refuse("'{}' must be a list in brackets, found {}", key, shown(entries));
  return entries;
}

}  // namespace

JsonSection::JsonSection(const json& object, std::string where) : object_(object), where_(std::move(where)) {
  if (!object.is_object()) refuse("an object in braces is required, found {}", shown(object));
}

void JsonSection::allow(std::span<const std::string_view> words) const {
  for (const auto& [key, value] : object_.items()) {
    if (std::find(words.begin(), words.end(), key) != words.end()) continue;
    const std::string nearest = nearest_word(key, words);
    refuse("'{}' is no word of a recipe here, {}", key,
           nearest.empty() ? fmt::format("one of {} is required", fmt::join(words, ", "))
                           : fmt::format("did you mean '{}'?", nearest));
  }
}

std::vector<JsonSection> JsonSection::sections(const char* key, std::string_view entry) const {
  std::vector<JsonSection> found;
  if (!has(key)) return found;
  const json& entries = list_at(*this, key);
  for (size_t i = 0; i < entries.size(); ++i) {
    found.emplace_back(entries[i], path(fmt::format("{} {}", entry, i + 1)));
  }
  return found;
}

std::string JsonSection::text(const char* key) const {
  if (!object_.at(key).is_string()) refuse("'{}' must be a text in quotes, found {}", key, shown(object_.at(key)));
  return object_.at(key).get<std::string>();
}

bool JsonSection::flag(const char* key) const {
  if (!object_.at(key).is_boolean()) refuse("'{}' must be true or false, found {}", key, shown(object_.at(key)));
  return object_.at(key).get<bool>();
}

double JsonSection::number(const char* key, double least, double most) const {
  const json& value = object_.at(key);
  const double number = value.is_number() ? value.get<double>() : std::nan("");
  if (!(number >= least && number <= most)) {
    refuse("'{}' must be a number from {:g} to {:g}, found {}", key, least, most, shown(value));
  }
  return number;
}

int64_t JsonSection::count(const char* key, int64_t least, int64_t most) const {
  const json& value = object_.at(key);
  const bool whole = value.is_number_integer() && !(value.is_number_unsigned() && value.get<uint64_t>() > INT64_MAX);
  if (!whole || value.get<int64_t>() < least || value.get<int64_t>() > most) {
    refuse("'{}' must be a whole number from {} to {}, found {}", key, least, most, shown(value));
  }
  return value.get<int64_t>();
}

StepRequest JsonSection::request(const char* key, const char* name) const {
  return read_request(object_.at(key), path(key), name);
}

std::vector<StepRequest> JsonSection::requests(const char* key, const char* name) const {
  const json& entries = list_at(*this, key);
  std::vector<StepRequest> found;
  for (size_t i = 0; i < entries.size(); ++i) {
    found.push_back(read_request(entries[i], path(fmt::format("{} {}", name, i + 1)), name));
  }
  return found;
}

json parse_recipe_json(const std::string& text, const std::string& where) {
  try {
    return json::parse(text);
  } catch (const json::exception& e) {
    fail(ErrorCode::InvalidArgument, where, "a recipe must be JSON: {}", e.what());
  }
}

}  // namespace halftone
