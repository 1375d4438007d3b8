#include <algorithm>

#include "halftone/runtime/integer_rules/add_conv.h"
#include "halftone/runtime/integer_rules/code_steps.h"
#include "halftone/runtime/integer_rules/product.h"
#include "halftone/runtime/integer_rules/product_operands.h"

namespace halftone::runtime {

namespace {

// Kernels make a vector of channels at a time, of which a group may fill a small part (one lane, where filters see one
// channel each): so many neighbouring groups are taken as one, with weights of 0 between them, as make up a vector.
void join_groups(ConvShape& shape, Int8Weights& weights) {
  constexpr int64_t kVector = 16;
  const int64_t outputs = shape.oc / shape.groups, inputs = shape.ic / shape.groups;
  int64_t joined = std::clamp<int64_t>(kVector / outputs, 1, shape.groups);
  while (shape.groups % joined != 0) --joined;
  if (joined == 1) return;
  const int64_t rows = weights.sets * shape.kh * shape.kw;  // of one output channel
  std::vector<int8_t> values(weights.values.size() * static_cast<size_t>(joined), 0);
  for (int64_t o = 0; o < shape.oc; ++o) {
    const int64_t place = o / outputs % joined * inputs;
    for (int64_t row = o * rows; row < (o + 1) * rows; ++row) {
      std::copy_n(&weights.values[static_cast<size_t>(row * inputs)], inputs,
                  &values[static_cast<size_t>(row * inputs * joined + place)]);
    }
  }
  weights.values = std::move(values);
  shape.groups /= joined;
}

}  // namespace

std::string lower_integer_convolution(Lowering& lowering) {
  const IntegerNode& plan = lowering.integers();
  if (plan.form != IntegerForm::Convolution) return "no convolution";
  if (any_bits(plan)) return "codes of single bits";
  ConvShape shape;
  if (std::string reason = read_shape(lowering, shape); !reason.empty()) return reason;
  Int8Weights weights = conv_weights(plan, shape);
  if (weights.sets > kMostWeightSets) return "weights of more than 8 bits";
  if (works_on_wide(plan)) join_groups(shape, weights);

  const Node& node = lowering.node();
  const Place from = product_codes(lowering, Layout::ChannelsLast);
  ProductResult result(lowering, *lowering.type(node.outputs[0]).fixed_shape(), /*matrix=*/false);
  kernels::ConvProblem problem{kernel_shape(shape, weights), gemm_problem(plan, weights)};
  problem.shape.in_pixel_stride = from.pixel_stride;
  problem.shape.out_pixel_stride = result.pixel_stride();
  add_conv(lowering, problem, shape.n, from.where, result.where());
  result.finish(lowering);
  return "";
}

}  // namespace halftone::runtime
