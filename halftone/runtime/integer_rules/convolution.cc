#include "halftone/kernels/conv/conv.h"
#include "halftone/runtime/codes.h"
#include "halftone/runtime/conv_shape.h"
#include "halftone/runtime/integer_rules/add_conv.h"
#include "halftone/runtime/integer_rules/product.h"

namespace halftone::runtime {

void add_conv(Lowering& lowering, const kernels::ConvProblem& problem, int64_t images, const Operand& from,
              const Operand& to) {
  const kernels::Choice<kernels::GemmKernel> choice = choose_conv(problem, images);
  lowering.note_choice(choice);
  const kernels::GemmKernel& kernel = *choice.kernel;
  const kernels::ConvShape& s = problem.shape;
  // The blob says where pixels lie.
  const std::string name = fmt::format("{}/{}x{}x{}/{}/{}", kernel.name, s.in_height, s.in_width, s.out_height,
                                       s.in_pixel_stride, s.out_pixel_stride);
  const Operand packed = lowering.constant_blob(name, conv_packed_bytes(kernel, problem),
                                                [&](std::byte* blob) { pack_conv(kernel, problem, blob); });
  const kernels::Conv conv(kernel, packed.constant.get());
  const int parts = product_parts(lowering, conv.operations(images));
  const size_t scratch_bytes = (conv.scratch_bytes() + 63) / 64 * 64;
  const Operand scratch{lowering.add_buffer(scratch_bytes * static_cast<size_t>(parts)), nullptr, 0};
  Step step{describe(lowering.graph(), lowering.node()), parts, nullptr};
  step.bind = [conv, packed, images, from, to, scratch, scratch_bytes, parts](RunMemory& memory) -> Step::Work {
    const auto* source = reinterpret_cast<const uint8_t*>(memory.at(from));
    std::byte* target = memory.at(to);
    std::byte* own = memory.at(scratch);
    return [=](int part) {
      static_cast<void>(packed);  // keeps the constants
      conv.run(source, target, conv.part(images, part, parts), own + static_cast<size_t>(part) * scratch_bytes);
    };
  };
  lowering.add_step(std::move(step), {from, to, scratch});
}

std::string lower_integer_convolution(Lowering& lowering) {
  const IntegerNode& plan = lowering.integers();
  if (plan.form != IntegerForm::Convolution) return "no convolution";
  if (!is_narrow(*plan.inputs[0]) || (plan.outputs[0].grid && !is_narrow(*plan.outputs[0].grid))) {
    return "codes of more than 8 bits";
  }
  const Node& node = lowering.node();
  const Shape& w = plan.weights.shape();
  const std::optional<ConvShape> geometry = conv_shape(lowering, node, &w);
  if (!geometry) return "a shape is unknown, or not of one or two dimensions";
  const ConvShape& g = *geometry;
  if (g.macs() == 0) return "nothing to compute";
  const int64_t taps = g.kh * g.kw, inputs = w[1];
  const Int8Weights weights = int8_weights(plan, {g.oc, taps, inputs, inputs * taps, 1, taps});
  if (weights.sets > kMostWeightSets) return "weights of more than 8 bits";

  const Place from = lowering.codes(node.inputs[0], Layout::ChannelsLast);
  ProductResult result(lowering, *lowering.type(node.outputs[0]).fixed_shape(), /*matrix=*/false);
  kernels::ConvProblem problem;
  problem.shape = {g.ih,
                   g.iw,
                   g.ic,
                   g.oh,
                   g.ow,
                   g.oc,
                   g.kh,
                   g.kw,
                   g.stride_h,
                   g.stride_w,
                   g.dilation_h,
                   g.dilation_w,
                   g.pad_top,
                   g.pad_left,
                   g.groups,
                   weights.sets,
                   from.pixel_stride,
                   result.pixel_stride()};
  problem.product = gemm_problem(plan, weights);
  add_conv(lowering, problem, g.n, from.where, result.where());
  result.finish(lowering);
  return "";
}

}  // namespace halftone::runtime
