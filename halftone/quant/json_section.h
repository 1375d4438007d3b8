// Reading recipes: JSON objects whose mistakes are told with the place where they stand.
#pragma once

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "halftone/base/error.h"
#include "halftone/quant/step_request.h"

namespace halftone {

// One object of the file and its place. It has to outlive the section.
class JsonSection {
 public:
  // Errors, here and below: Error{InvalidArgument} at the place.
  JsonSection(const nlohmann::json& object, std::string where);

  template <typename... Args>
  [[noreturn]] void refuse(fmt::format_string<Args...> format, Args&&... args) const {
    fail(ErrorCode::InvalidArgument, where_, format, std::forward<Args>(args)...);
  }

  // Refuses other words than these, with the nearest of them.
  void allow(std::span<const std::string_view> words) const;
  bool has(std::string_view key) const { return object_.contains(key); }
  std::string path(std::string_view key) const { return fmt::format("{}: {}", where_, key); }

  JsonSection section(const char* key) const { return {object_.at(key), path(key)}; }
  const nlohmann::json& at(const char* key) const { return object_.at(key); }
  // An empty list where the word is missing.
  std::vector<JsonSection> sections(const char* key, std::string_view entry) const;
  std::string text(const char* key) const;
  bool flag(const char* key) const;
  double number(const char* key, double least, double most) const;
  int64_t count(const char* key, int64_t least, int64_t most) const;
  // "equalize", "equalize:exponent=0.5", or {"step": "equalize", "exponent": 0.5}; `name` is the word "step".
  StepRequest request(const char* key, const char* name) const;
  std::vector<StepRequest> requests(const char* key, const char* name) const;

  // Runs a parser of one word and puts the place before what it complains about.
  template <typename F>
  auto parse(const char* key, const F& parser) const {
    const std::string word = text(key);
    return guard([&] { return parser(word); });
  }
  // The same for any check.
  template <typename F>
  auto guard(const F& check) const {
    try {
      return check();
    } catch (const Error& e) {
      refuse("{}", e.what());
    }
  }

 private:
  const nlohmann::json& object_;
  std::string where_;
};

// A whole document. Errors: Error{InvalidArgument} at `where` for text that is no JSON.
nlohmann::json parse_recipe_json(const std::string& text, const std::string& where);

}  // namespace halftone
