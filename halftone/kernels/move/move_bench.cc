// Moves of networks: Concat and Split of channels, shuffles, nearest neighbours, permutations. bench_move
#include <numeric>

#include "halftone/kernels/memory_bench.h"
#include "halftone/kernels/move/pick_pixels.h"
#include "halftone/kernels/move/strided_copy.h"

using namespace halftone::kernels;

namespace {

void bench_copy(const std::string& what, const StridedCopy& copy) {
  const int64_t count = std::accumulate(copy.dims.begin(), copy.dims.end(), int64_t{1}, std::multiplies<>());
  const std::vector<uint8_t> from = bench_codes(count * 16);
  std::vector<uint8_t> to(from.size());
  report(what, "run_copy", count, count, [&] {
    run_copy(copy, reinterpret_cast<const std::byte*>(from.data()), reinterpret_cast<std::byte*>(to.data()), 1, 0,
             copy.dims[0]);
  });
}

}  // namespace

int main() {
  for (const int64_t channels : {16, 24, 58, 64, 128, 256}) {
    bench_copy("28^2 pixels of " + std::to_string(channels) + " into 256", {{784, channels}, {channels, 1}, {256, 1}});
  }
  bench_copy("28^2 x 2 x 58 channels shuffled", {{784, 58, 2}, {116, 1, 58}, {116, 2, 1}});
  bench_copy("28^2 x 58 x 2 channels shuffled", {{784, 2, 58}, {116, 1, 2}, {116, 58, 1}});
  bench_copy("28^2 x 64 to planes", {{64, 784}, {1, 64}, {784, 1}});
  bench_copy("197 x 3 heads of 64", {{3, 197, 64}, {64, 192, 1}, {197 * 64, 64, 1}});
  bench_copy("56^2 x 3 depth to space 2", {{56, 2, 56, 6}, {56 * 12, 6, 12, 1}, {672, 336, 6, 1}});
  for (const int64_t channels : {8, 32, 64, 128}) {
    std::vector<int32_t> index(112 * 112);
    for (size_t i = 0; i < index.size(); ++i) index[i] = static_cast<int32_t>(i / 112 / 2 * 56 + i % 112 / 2);
    const std::vector<uint8_t> from = bench_codes(56 * 56 * channels);
    std::vector<uint8_t> to(index.size() * static_cast<size_t>(channels));
    report("56^2 x " + std::to_string(channels) + " doubled", "pick_pixels", 56 * 56 * channels, 112 * 112 * channels,
           [&] { pick_pixels(index.data(), channels, channels, channels, from.data(), to.data(), 0, 112 * 112); });
  }
}
