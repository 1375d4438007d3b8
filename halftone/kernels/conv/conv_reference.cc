#include <cstring>
#include <vector>

#include "halftone/kernels/conv/conv.h"

namespace halftone::kernels {

// Reads every operand by its own index; of gemm.h only the step from one sum to one number is used.
void conv_reference(const ConvProblem& problem, int64_t images, const uint8_t* src, void* dst) {
  const ConvShape& s = problem.shape;
  const GemmProblem& p = problem.product;
  const int64_t ic = s.in_channels / s.groups, oc = s.out_channels / s.groups;
  const int64_t size = p.wide ? 2 : 1;  // bytes of a code
  for (int64_t n = 0; n < images; ++n) {
    for (int64_t oy = 0; oy < s.out_height; ++oy) {
      for (int64_t ox = 0; ox < s.out_width; ++ox) {
        std::byte* to =
            static_cast<std::byte*>(dst) + ((n * s.out_height + oy) * s.out_width + ox) * s.out_pixel_stride;
        for (int64_t o = 0; o < s.out_channels; ++o) {
          int64_t sum = p.bias != nullptr ? p.bias[o] : 0;
          const int8_t* weight = p.weights + o * s.weight_sets * s.kernel_height * s.kernel_width * ic;
          for (int64_t set = 0; set < s.weight_sets; ++set) {
            for (int64_t ky = 0; ky < s.kernel_height; ++ky) {
              for (int64_t kx = 0; kx < s.kernel_width; ++kx) {
                const int64_t y = oy * s.stride_height - s.pad_top + ky * s.dilation_height;
                const int64_t x = ox * s.stride_width - s.pad_left + kx * s.dilation_width;
                for (int64_t c = 0; c < ic; ++c, ++weight) {
                  if (y < 0 || y >= s.in_height || x < 0 || x >= s.in_width) continue;
                  const int64_t at =
                      ((n * s.in_height + y) * s.in_width + x) * s.in_pixel_stride + (o / oc * ic + c) * size;
                  int16_t wide = 0;
                  std::memcpy(&wide, src + at, p.wide ? 2 : 0);
                  sum += int64_t{(p.wide ? wide : src[at]) - p.x_zero_point} * *weight;
                }
              }
            }
          }
          // One sum as the bias of a product without depth.
          const auto acc = static_cast<int32_t>(sum);
          GemmProblem one = p;
          one.columns = 1;
          one.depth = 0;
          one.bias = &acc;
          one.multipliers += one.multiplier_per_column ? o : 0;
          const uint8_t* none = nullptr;
          gemm_reference(
              one,
              {.rows = &none, .row_count = 1, .first_block = 0, .last_block = 0, .to = to + o * bytes_of(p.result)});
        }
      }
    }
  }
}

}  // namespace halftone::kernels
