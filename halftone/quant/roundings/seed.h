// What follows the colon of "stochastic:42", and the random numbers that it stands for.
#pragma once

#include <cstdint>
#include <string_view>

namespace halftone {

// The seed, or 0 for an empty text. Errors: Error{InvalidArgument} naming the method for what is no whole number of 64
// bits.
uint64_t seed_parameter(std::string_view rounding, std::string_view text);
// Errors: Error{InvalidArgument} when there is a parameter.
void no_seed(std::string_view rounding, std::string_view text);

// Uniform in [0, 1) with 53 bits, a function of its arguments alone: number `index` of the splitmix64 sequence that
// begins at the mixed seed (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014).
double uniform_at(uint64_t seed, uint64_t index);

}  // namespace halftone
