// Convolutions whose activations get their grid in every run. The padding has to hold the zero point, which is only
// known then: images are quantized into larger ones, and convolved without padding.
#include <algorithm>

#include "halftone/kernels/conv/conv.h"
#include "halftone/runtime/conv_shape.h"
#include "halftone/runtime/integer_rules/dynamic_codes.h"
#include "halftone/runtime/integer_rules/product.h"
#include "halftone/runtime/split.h"

namespace halftone::runtime {

std::string lower_integer_dynamic_convolution(Lowering& lowering) {
  const IntegerNode& plan = lowering.integers();
  const Node& node = lowering.node();
  if (plan.form != IntegerForm::DynamicProduct || !node.is("Conv")) return "no convolution on a grid found at run time";
  const Shape& w = plan.weights.shape();
  const std::optional<ConvShape> geometry = conv_shape(lowering, node, &w);
  if (!geometry) return "a shape is unknown, or not of one or two dimensions";
  const ConvShape& g = *geometry;
  if (g.macs() == 0) return "nothing to compute";
  if (std::min({g.pad_top, g.pad_left, g.pad_bottom, g.pad_right}) < 0) return "padding is negative";
  const int64_t taps = g.kh * g.kw, inputs = w[1];
  const Int8Weights weights = int8_weights(plan, {g.oc, taps, inputs, inputs * taps, 1, taps});
  if (weights.sets > kMostWeightSets) return "weights of more than 8 bits";

  const DynamicImage image =
      add_dynamic_image(lowering, lowering.plain(node.inputs[0]), {g.pad_top, g.pad_left, g.pad_bottom, g.pad_right});
  ProductResult result(lowering, *lowering.type(node.outputs[0]).fixed_shape(), /*matrix=*/false);
  const std::vector<int32_t> terms = negative_sums(weights.values, g.oc);
  kernels::ConvProblem problem;
  problem.shape = {image.height, image.width,          g.ic,         g.oh,         g.ow, g.oc, g.kh,     g.kw,
                   g.stride_h,   g.stride_w,           g.dilation_h, g.dilation_w, 0,    0,    g.groups, weights.sets,
                   g.ic,         result.pixel_stride()};
  problem.product.result = kernels::GemmResult::Real;
  problem.product.weights = weights.values.data();
  problem.product.multipliers = plan.outputs[0].multipliers.data();
  problem.product.multiplier_per_column = plan.outputs[0].multipliers.size() > 1;
  problem.product.column_terms = terms.data();
  const kernels::Choice<kernels::GemmKernel> choice = choose_conv(problem, g.n);
  lowering.note_choice(choice);
  const std::string name = fmt::format("{}/{}x{}", choice.kernel->name, g.ih, g.iw);
  const Operand packed = lowering.constant_blob(
      name, [&] { return conv_packed_bytes(*choice.kernel, problem); },
      [&](std::byte* blob) { pack_conv(*choice.kernel, problem, blob); });
  const kernels::Conv conv(*choice.kernel, packed.constant.get());
  const int64_t pixels = g.n * g.oh * g.ow;
  const Split split{pixels, 1, std::min<int64_t>(product_parts(lowering, conv.operations(g.n)), pixels)};
  const size_t scratch_bytes = (conv.scratch_bytes() + 63) / 64 * 64;
  const Operand scratch{lowering.add_buffer(scratch_bytes * static_cast<size_t>(split.parts())), nullptr, 0};
  // What the kernel wants to know of each row is the same for all.
  const Operand zero_points{lowering.add_buffer(static_cast<size_t>(pixels) * sizeof(int32_t)), nullptr, 0};
  const Operand scales{lowering.add_buffer(static_cast<size_t>(pixels) * sizeof(float)), nullptr, 0};
  Step step{describe(lowering.graph(), node), split.parts(), nullptr};
  step.bind = [conv, packed, image, to = result.where(), scratch, scratch_bytes, split, zero_points, scales,
               images = g.n, columns = g.oc, bias = plan.real_bias](RunMemory& memory) -> Step::Work {
    const auto* source = reinterpret_cast<const uint8_t*>(memory.at(image.codes));
    const auto* grid = reinterpret_cast<const Grid*>(memory.at(image.grid));
    auto* row_zero_points = reinterpret_cast<int32_t*>(memory.at(zero_points));
    auto* row_scales = reinterpret_cast<float*>(memory.at(scales));
    auto* target = reinterpret_cast<float*>(memory.at(to));
    std::byte* own = memory.at(scratch);
    return [=](int part) {
      kernels::ConvPart share = conv.whole(images);
      share.first_pixel = split.begin(part);
      share.last_pixel = split.end(part);
      std::fill(row_zero_points + share.first_pixel, row_zero_points + share.last_pixel, grid->zero_point);
      std::fill(row_scales + share.first_pixel, row_scales + share.last_pixel, grid->scale);
      conv.run(source, target, share, own + static_cast<size_t>(part) * scratch_bytes, {row_zero_points, row_scales});
      if (bias.empty()) return;
      for (int64_t pixel = share.first_pixel; pixel < share.last_pixel; ++pixel) {
        for (int64_t c = 0; c < columns; ++c) target[pixel * columns + c] += bias[static_cast<size_t>(c)];
      }
    };
  };
  lowering.add_step(std::move(step), {image.codes, image.grid, result.where(), scratch, zero_points, scales});
  result.finish(lowering);
  return "";
}

}  // namespace halftone::runtime
