#include "halftone/quant/step_request.h"

#include "halftone/base/error.h"

namespace halftone {
namespace {

std::string_view trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// Takes what stands before the next `separator` off the front of `text`.
std::string_view take(std::string_view& text, char separator) {
  const size_t end = text.find(separator);
  const std::string_view part = trimmed(text.substr(0, end));
  text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
  return part;
}

}  // namespace

StepRequest parse_step(std::string_view text, std::string_view kind) {
  StepRequest step;
  std::string_view rest = text;
  step.name = take(rest, ':');
  if (step.name.empty()) {
    fail(ErrorCode::InvalidArgument, fmt::format("{}s", kind), "the name of a {} is required, found '{}'", kind, text);
  }
  for (bool more = text.find(':') != std::string_view::npos; more;) {
    more = rest.find(':') != std::string_view::npos;
    std::string_view value = take(rest, ':');
    const std::string_view word = take(value, '=');
    if (word.empty() || value.empty()) {
      fail(ErrorCode::InvalidArgument, fmt::format("{} '{}'", kind, step.name),
           "WORD=VALUE is required after ':', found '{}'", text);
    }
    if (!step.words.emplace(word, trimmed(value)).second) {
      fail(ErrorCode::InvalidArgument, fmt::format("{} '{}'", kind, step.name), "'{}' is given twice", word);
    }
  }
  return step;
}

std::vector<StepRequest> parse_steps(std::string_view text) {
  std::vector<StepRequest> steps;
  while (!trimmed(text).empty()) steps.push_back(parse_step(take(text, ',')));
  return steps;
}

}  // namespace halftone
