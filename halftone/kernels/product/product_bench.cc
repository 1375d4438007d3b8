// Gates: squeeze-and-excitation (a row for all pixels), and element by element, in both modes. bench_product
#include "halftone/kernels/memory_bench.h"
#include "halftone/kernels/product/product.h"

using namespace halftone::kernels;

int main() {
  for (const halftone::RequantizeMode mode : {halftone::RequantizeMode::Float, halftone::RequantizeMode::Dyadic}) {
    const ProductProblem problem = {mode, false, 120, 3, make_factor(0.004F), {125, 0, 255}};
    struct Shape {
      int64_t pixels, channels;
      bool gate;
    };
    for (const Shape& s : {Shape{56 * 56, 72, true}, Shape{14 * 14, 480, true}, Shape{56 * 56, 64, false}}) {
      const int64_t count = s.pixels * s.channels;
      const std::vector<uint8_t> a = bench_codes(count), b = bench_codes(s.gate ? s.channels : count);
      std::vector<uint8_t> to(a.size());
      const std::string what = std::string(mode == halftone::RequantizeMode::Float ? "float " : "dyadic ") +
                               (s.gate ? "gate " : "pairs ") + std::to_string(s.pixels) + " x " +
                               std::to_string(s.channels);
      bench_kernels(product_kernels(), problem, [&](const ProductKernel& kernel) {
        report(what, kernel.name, s.gate ? count : 2 * count, count, [&] {
          kernel.run(problem, {s.pixels, s.channels, s.channels, s.gate ? 0 : s.channels, s.channels}, a.data(),
                     b.data(), to.data());
        });
      });
    }
  }
}
