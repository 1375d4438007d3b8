// Pools of networks: ResNet's 3 x 3, 2 x 2, and YOLO's 5 x 5. bench_max_pool
#include "halftone/kernels/max_pool/max_pool.h"
#include "halftone/kernels/memory_bench.h"

using namespace halftone::kernels;

int main() {
  struct Shape {
    int64_t size, channels, kernel, stride;
  };
  for (const Shape& s : {Shape{112, 64, 3, 2}, Shape{32, 64, 2, 2}, Shape{20, 256, 5, 1}, Shape{28, 24, 3, 1}}) {
    Window w;
    w.in = {1, s.size, s.size};
    w.kernel = {1, s.kernel, s.kernel};
    w.stride = {1, s.stride, s.stride};
    w.pad_begin = w.pad_end = {0, (s.kernel - 1) / 2, (s.kernel - 1) / 2};
    const int64_t out = (s.size + 2 * w.pad_begin[1] - s.kernel) / s.stride + 1;
    w.out = {1, out, out};
    w.channels = w.from_stride = w.to_stride = s.channels;
    const std::vector<uint8_t> from = bench_codes(s.size * s.size * s.channels);
    std::vector<uint8_t> to(from.size());
    const std::string what = std::to_string(s.size) + "^2 x " + std::to_string(s.channels) + ", " +
                             std::to_string(s.kernel) + "^2 / " + std::to_string(s.stride);
    bench_kernels(max_pool_kernels(), w, [&](const MaxPoolKernel& kernel) {
      report(what, kernel.name, s.size * s.size * s.channels, out * out * s.channels,
             [&] { max_pool(w, kernel, 0, from.data(), to.data(), 0, w.out_pixels()); });
    });
  }
}
