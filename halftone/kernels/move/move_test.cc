#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "halftone/base/rng.h"
#include "halftone/kernels/move/pick_pixels.h"
#include "halftone/kernels/move/strided_copy.h"

namespace halftone::kernels::move_test {
namespace {

std::vector<int64_t> strides_of(const std::vector<int64_t>& dims) {
  std::vector<int64_t> strides(dims.size(), 1);
  for (size_t d = dims.size() - 1; d > 0; --d) strides[d - 1] = strides[d] * dims[d];
  return strides;
}

// Any permutation of up to six axes, cut anywhere along the outermost loop that is left.
TEST(StridedCopy, PermutationsOfAnyRank) {
  Rng rng(1);
  for (int round = 0; round < 300; ++round) {
    const size_t rank = 1 + rng.below(6);
    std::vector<int64_t> dims(rank), order(rank);
    for (int64_t& dim : dims) dim = 1 + static_cast<int64_t>(rng.below(rank > 3 ? 6 : 40));
    std::iota(order.begin(), order.end(), int64_t{0});
    rng.shuffle(order);
    const std::vector<int64_t> from_strides = strides_of(dims);
    std::vector<int64_t> to_dims(rank);
    for (size_t d = 0; d < rank; ++d) to_dims[d] = dims[static_cast<size_t>(order[d])];
    const std::vector<int64_t> to_strides = strides_of(to_dims);
    const int64_t count = std::accumulate(dims.begin(), dims.end(), int64_t{1}, std::multiplies<>());

    for (const size_t size : {1, 2, 4, 8}) {
      std::vector<uint8_t> from(static_cast<size_t>(count) * size);
      for (uint8_t& byte : from) byte = static_cast<uint8_t>(rng.next());
      std::vector<uint8_t> expected(from.size(), 0xA5), found = expected;
      StridedCopy copy;
      copy.to_strides = to_strides;
      copy.dims = to_dims;
      for (size_t d = 0; d < rank; ++d) copy.from_strides.push_back(from_strides[static_cast<size_t>(order[d])]);
      for (int64_t i = 0; i < count; ++i) {
        int64_t at = 0;
        for (size_t d = 0; d < rank; ++d) at += i / to_strides[d] % to_dims[d] * copy.from_strides[d];
        std::copy_n(from.data() + static_cast<size_t>(at) * size, size,
                    expected.data() + static_cast<size_t>(i) * size);
      }
      simplify(copy);
      const auto* source = reinterpret_cast<const std::byte*>(from.data());
      auto* target = reinterpret_cast<std::byte*>(found.data());
      const auto cut = static_cast<int64_t>(rng.below(static_cast<uint64_t>(copy.dims[0] + 1)));
      run_copy(copy, source, target, size, cut, copy.dims[0]);
      run_copy(copy, source, target, size, 0, cut);
      ASSERT_EQ(found, expected) << round;
    }
  }
}

TEST(StridedCopy, RepeatsAndReverses) {
  const std::vector<uint8_t> from = {1, 2, 3, 4};
  std::vector<uint8_t> to(8);
  run_copy({{2, 4}, {0, -1}, {4, 1}, 3, 0}, reinterpret_cast<const std::byte*>(from.data()),
           reinterpret_cast<std::byte*>(to.data()), 1, 0, 2);
  EXPECT_EQ(to, (std::vector<uint8_t>{4, 3, 2, 1, 4, 3, 2, 1}));
}

TEST(PickPixels, CopiesTheIndexedOnes) {
  Rng rng(2);
  for (const int64_t bytes : {1, 2, 3, 4, 5, 16, 17, 24, 32, 33, 64, 100}) {
    std::vector<uint8_t> from(static_cast<size_t>(10 * (bytes + 2)));
    for (uint8_t& byte : from) byte = static_cast<uint8_t>(rng.next());
    std::vector<int32_t> index(21);
    for (int32_t& i : index) i = static_cast<int32_t>(rng.below(10));
    std::vector<uint8_t> expected(static_cast<size_t>(21 * (bytes + 1)), 0xA5), found = expected;
    for (size_t i = 0; i < 21; ++i) {
      std::copy_n(from.begin() + index[i] * (bytes + 2), bytes,
                  expected.begin() + static_cast<int64_t>(i) * (bytes + 1));
    }
    pick_pixels(index.data(), bytes + 2, bytes + 1, bytes, from.data(), found.data(), 0, 8);
    pick_pixels(index.data(), bytes + 2, bytes + 1, bytes, from.data(), found.data(), 8, 21);
    EXPECT_EQ(found, expected) << bytes;
  }
}

}  // namespace
}  // namespace halftone::kernels::move_test
