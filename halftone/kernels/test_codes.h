// What the tests of the kernels on codes share.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "halftone/base/rng.h"
#include "halftone/kernels/kernel.h"
#include "halftone/kernels/stored_grid.h"

namespace halftone::kernels::test {

// Random bytes, a fifth of them 0 and a fifth 255, with the slack that every buffer has.
inline std::vector<uint8_t> random_codes(Rng& rng, int64_t count) {
  std::vector<uint8_t> codes(static_cast<size_t>(count) + kSlack);
  for (uint8_t& code : codes) {
    const uint64_t pick = rng.below(5);
    code = static_cast<uint8_t>(pick == 0 ? 0 : pick == 1 ? 255 : rng.below(256));
  }
  return codes;
}

// What nobody wrote keeps this value; results are compared with all that lies between and behind them.
inline std::vector<uint8_t> untouched(int64_t count) {
  return std::vector<uint8_t>(static_cast<size_t>(count) + kSlack, 0xA5);
}

// Column counts around the widths of vectors, and a long one.
inline const std::vector<int64_t>& odd_columns() {
  static const std::vector<int64_t> columns = {1,  2,  3,  7,  8,  9,  15, 16, 17,  23,  24,  31,  32,  33,  40,
                                               47, 48, 63, 64, 65, 95, 96, 97, 127, 128, 129, 200, 255, 256, 1001};
  return columns;
}

// Grids with zero points at the ends, in the middle and odd, and with bounds narrowed as absorbed activations do.
inline const std::vector<StoredGrid>& grids() {
  static const std::vector<StoredGrid> grids = {{0, 0, 255}, {255, 0, 255},  {128, 0, 255},   {131, 1, 255},
                                                {3, 3, 123}, {200, 10, 220}, {128, 128, 255}, {77, 77, 77}};
  return grids;
}

inline const std::vector<RequantizeMode>& modes() {
  static const std::vector<RequantizeMode> modes = {RequantizeMode::Float, RequantizeMode::Dyadic};
  return modes;
}

// Every kernel of the list that this processor has and that accepts the problem, by name in failure messages.
template <typename List, typename Problem, typename F>
void for_each_kernel(const List& list, const Problem& problem, F f) {
  for (const auto& kernel : list) {
    if (!has_isa(kernel.isa) || *kernel.refuse(problem) != '\0') continue;
    SCOPED_TRACE(std::string(kernel.name));
    f(kernel);
  }
}

}  // namespace halftone::kernels::test
