// What follows the colon of "percentile:99.9".
#pragma once

#include <optional>
#include <span>
#include <string_view>

namespace halftone {

// The number, or `fallback` for an empty text. Errors: Error{InvalidArgument} naming the observer when it is no number
// or lies outside [low, high].
double number_parameter(std::string_view observer, std::string_view text, double fallback, double low, double high);

// Which of the words it is; nullopt for an empty text. Errors: Error{InvalidArgument} naming the observer for another.
std::optional<size_t> word_parameter(std::string_view observer, std::string_view text,
                                     std::span<const std::string_view> words);

// Errors: Error{InvalidArgument} when there is a parameter.
void no_parameter(std::string_view observer, std::string_view text);

}  // namespace halftone
