// The words of a request, read with their bounds.
#pragma once

#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "halftone/quant/step_request.h"

namespace halftone {

// Reads the words of a request: whoever it names asks for those it knows, with its defaults, and then calls `finish`.
class StepWords {
 public:
  // `kind` is what messages call the one that is named. Both must outlive this.
  explicit StepWords(const StepRequest& request, std::string_view kind = "step") : request_(request), kind_(kind) {}

  // Errors: Error{InvalidArgument} for a value that is no number, not finite, or outside [least, most].
  double number(std::string_view word, double fallback, double least, double most);
  // The same for whole numbers.
  int64_t count(std::string_view word, int64_t fallback, int64_t least, int64_t most);
  bool flag(std::string_view word, bool fallback);
  // One of `choices`, the first of which is the default. Errors: Error{InvalidArgument} with the nearest choice.
  std::string choice(std::string_view word, std::span<const std::string_view> choices);
  // Patterns of layer names, as recipes write them ("*" unless given).
  std::string pattern(std::string_view word);

  // Errors: Error{InvalidArgument} for a word that nobody asked for, with the nearest one that was.
  void finish() const;

 private:
  const std::string* find(std::string_view word);
  [[noreturn]] void refuse(std::string_view word, std::string_view required, std::string_view found) const;

  const StepRequest& request_;
  std::string_view kind_;
  std::set<std::string, std::less<>> known_;
};

// How a message about an unknown word ends: "did you mean 'x'?" where one of `known` is near, else "one of x, y is
// required".
std::string did_you_mean(std::string_view word, std::span<const std::string_view> known);

// The position of `name` among `names`. Errors: Error{InvalidArgument} at `kind`, with the nearest known one.
size_t position_of(std::string_view name, std::span<const std::string_view> names, std::string_view kind);

// The same for lists whose entries have a `name`, as those that .def files make.
template <typename List>
size_t position_in(const List& list, std::string_view name, std::string_view kind) {
  std::vector<std::string_view> names;
  for (const auto& entry : list) names.push_back(entry.name);
  return position_of(name, names, kind);
}

}  // namespace halftone
