// Global averages and small windows of networks, in both modes. bench_mean_pool
#include "halftone/kernels/mean_pool/mean_pool.h"
#include "halftone/kernels/memory_bench.h"

using namespace halftone::kernels;

int main() {
  for (const halftone::RequantizeMode mode : {halftone::RequantizeMode::Float, halftone::RequantizeMode::Dyadic}) {
    const std::string name = mode == halftone::RequantizeMode::Float ? "float " : "dyadic ";
    const MeanProblem problem = {mode, 3, {125, 0, 255}};
    struct Shape {
      int64_t size, channels;
    };
    for (const Shape& s : {Shape{7, 1280}, Shape{8, 64}, Shape{56, 72}, Shape{14, 480}}) {
      const int64_t count = s.size * s.size * s.channels;
      const std::vector<uint8_t> from = bench_codes(count);
      std::vector<uint8_t> to(static_cast<size_t>(s.channels) + kSlack);
      const BoxRow row = {{{1, 1, s.size * s.size}, {0, 0, s.channels}}, 1, s.channels, 0, 0};
      const Factor factor = make_factor(1 / static_cast<float>(s.size * s.size));
      bench_kernels(mean_pool_kernels(), problem, [&](const MeanPoolKernel& kernel) {
        report(name + std::to_string(s.size) + "^2 x " + std::to_string(s.channels), kernel.name, count, s.channels,
               [&] { kernel.run(problem, factor, row, from.data(), to.data()); });
      });
    }
    MeanPool pool;
    Window& w = pool.window;
    w.in = {1, 35, 35};
    w.out = {1, 35, 35};
    w.kernel = {1, 3, 3};
    w.pad_begin = w.pad_end = {0, 1, 1};
    w.channels = w.from_stride = w.to_stride = 192;
    pool.problem = problem;
    for (int n = 0; n <= 9; ++n) pool.factors.push_back(make_factor(1 / static_cast<float>(std::max(n, 1))));
    const std::vector<uint8_t> from = bench_codes(35 * 35 * 192);
    std::vector<uint8_t> to(from.size());
    bench_kernels(mean_pool_kernels(), problem, [&](const MeanPoolKernel& kernel) {
      pool.kernel = &kernel;
      report(name + "35^2 x 192, 3^2", kernel.name, 35 * 35 * 192, 35 * 35 * 192,
             [&] { pool.run(from.data(), to.data(), 0, w.out_pixels()); });
    });
  }
}
