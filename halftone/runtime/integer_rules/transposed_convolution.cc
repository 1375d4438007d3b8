// A transposed convolution of stride s as s convolutions of stride 1 in each dimension, which make every s-th pixel of
// the result: of the taps k, output position o = s * i + k * dilation - pad of input i, those that hit the same
// o + pad modulo s. Source: Shi et al., "Is the deconvolution layer the same as a convolutional layer?", 2016.
#include <numeric>

#include "halftone/runtime/integer_rules/add_conv.h"
#include "halftone/runtime/integer_rules/code_steps.h"
#include "halftone/runtime/integer_rules/product.h"
#include "halftone/runtime/integer_rules/product_operands.h"

namespace halftone::runtime {
namespace {

// One dimension of one of the convolutions.
struct Phase {
  std::vector<int64_t> taps;  // of the node's kernel, in the order of the convolution's; empty: nothing hits
  int64_t first = 0;          // output position of its first result
  int64_t count = 0;          // results, `stride` apart
  int64_t dilation = 1, pad = 0;
};

Phase find_phase(int64_t remainder, int64_t out, int64_t kernel, int64_t stride, int64_t dilation, int64_t pad) {
  Phase phase;
  for (int64_t k = kernel; k-- > 0;) {
    if ((k * dilation - remainder) % stride == 0) phase.taps.push_back(k);
  }
  // Position q of this phase is output o = stride * q + remainder - pad; it reads inputs q + (remainder - k * dilation)
  // / stride.
  const int64_t q = pad > remainder ? (pad - remainder + stride - 1) / stride : 0;
  phase.first = stride * q + remainder - pad;
  phase.count = out > phase.first ? (out - phase.first + stride - 1) / stride : 0;
  if (phase.taps.empty()) return phase;
  phase.dilation = dilation / std::gcd(stride, dilation);
  phase.pad = (phase.taps.front() * dilation - remainder) / stride - q;
  return phase;
}

// Centred weights of one convolution, [output channel][tap][input channel of the group].
std::vector<int32_t> phase_weights(const std::vector<int32_t>& all, const ConvShape& g, const Phase& rows,
                                   const Phase& columns) {
  const int64_t inputs = g.ic / g.groups, outputs = g.oc / g.groups;
  std::vector<int32_t> weights;
  for (int64_t o = 0; o < g.oc; ++o) {
    for (int64_t ky : rows.taps) {
      for (int64_t kx : columns.taps) {
        for (int64_t i = 0; i < inputs; ++i) {
          const int64_t channel = o / outputs * inputs + i;
          const int64_t at = ((channel * outputs + o % outputs) * g.kh + ky) * g.kw + kx;
          weights.push_back(all[static_cast<size_t>(at)]);
        }
      }
    }
  }
  return weights;
}

}  // namespace

std::string lower_integer_transposed_convolution(Lowering& lowering) {
  const IntegerNode& plan = lowering.integers();
  if (plan.form != IntegerForm::TransposedConvolution) return "no transposed convolution";
  if (any_bits(plan)) return "codes of single bits";
  ConvShape g;
  if (std::string reason = read_shape(lowering, g); !reason.empty()) return reason;
  std::vector<Phase> rows, columns;
  for (int64_t r = 0; r < g.stride_h; ++r) {
    rows.push_back(find_phase(r, g.oh, g.kh, g.stride_h, g.dilation_h, g.pad_top));
  }
  for (int64_t r = 0; r < g.stride_w; ++r) {
    columns.push_back(find_phase(r, g.ow, g.kw, g.stride_w, g.dilation_w, g.pad_left));
  }
  // One tap of weight zero where none hits: what is left is the bias.
  const auto all = centred_weights(plan);
  std::vector<Int8Weights> weights;
  for (const Phase& row : rows) {
    for (const Phase& column : columns) {
      std::vector<int32_t> some = phase_weights(all, g, row, column);
      if (some.empty()) some.assign(static_cast<size_t>(g.oc * (g.ic / g.groups)), 0);
      weights.push_back(int8_sets(std::move(some), g.oc));
      if (weights.back().sets > kMostWeightSets) return "weights of more than 8 bits";
    }
  }

  const Node& node = lowering.node();
  const Place from = product_codes(lowering, Layout::ChannelsLast);
  ProductResult result(lowering, *lowering.type(node.outputs[0]).fixed_shape(), /*matrix=*/false);
  const int64_t pixel = result.pixel_stride();
  size_t next = 0;
  for (const Phase& row : rows) {
    for (const Phase& column : columns) {
      const Int8Weights& own = weights[next++];
      if (row.count <= 0 || column.count <= 0) continue;
      const bool taps = !row.taps.empty() && !column.taps.empty();
      kernels::ConvProblem problem;
      kernels::ConvShape& s = problem.shape;
      s.in_height = g.ih;
      s.in_width = g.iw;
      s.in_channels = g.ic;
      s.out_height = row.count;
      s.out_width = column.count;
      s.out_channels = g.oc;
      s.kernel_height = taps ? static_cast<int64_t>(row.taps.size()) : 1;
      s.kernel_width = taps ? static_cast<int64_t>(column.taps.size()) : 1;
      s.dilation_height = row.dilation;
      s.dilation_width = column.dilation;
      s.pad_top = taps ? row.pad : 0;
      s.pad_left = taps ? column.pad : 0;
      s.groups = g.groups;
      s.weight_sets = own.sets;
      s.in_pixel_stride = from.pixel_stride;
      s.out_pixel_stride = pixel * g.stride_w;
      problem.product = gemm_problem(plan, own);
      const RowPlaces places{(row.first * g.ow + column.first) * pixel, g.stride_h * g.ow * pixel, g.oh * g.ow * pixel};
      add_conv(lowering, problem, g.n, from.where, result.where(), fmt::format("{}/", next), places);
    }
  }
  result.finish(lowering);
  return "";
}

}  // namespace halftone::runtime
