// What follows the colon of "percentile:99.9".
#pragma once

#include <string_view>

namespace halftone {

// The number, or `fallback` for an empty text. Errors: Error{InvalidArgument} naming the observer when it is no number
// or lies outside [low, high].
double number_parameter(std::string_view observer, std::string_view text, double fallback, double low, double high);

// Errors: Error{InvalidArgument} when there is a parameter.
void no_parameter(std::string_view observer, std::string_view text);

}  // namespace halftone
