// Sums of products: bias in the accumulator's steps, multipliers per channel, and the proof that int32 is wide enough.
#include <cmath>
#include <limits>

#include "halftone/quant/integer_rules.h"

namespace halftone::integer_rules {
namespace {

// Fills bias and multipliers. `scale(c)` is the step of the accumulator of channel c as a product of two factors,
// `reach[c]` the largest magnitude of its sum without bias; there is one channel where no scale differs and no bias is.
struct Factors {
  double x, w;
};
template <typename F>
bool finish(NodeContext& c, const std::vector<int64_t>& reach, const F& scale, ValueId bias_id) {
  std::vector<float> bias;
  if (bias_id != ValueId::None) {
    const Tensor* constant = c.constant_of(bias_id);
    if (constant == nullptr) return c.refuse("its bias is computed by the network");
    bias = to_vector<float>(*constant);
    if (bias.size() == 1) bias.resize(reach.size(), bias[0]);
    if (bias.size() != reach.size()) {
      return c.refuse("its bias has {} elements for {} output channels", bias.size(), reach.size());
    }
  }
  for (size_t i = 0; i < reach.size(); ++i) {
    const Factors step = scale(static_cast<int64_t>(i));
    double steps = 0;
    if (!bias.empty()) {
      steps = std::nearbyint(double{bias[i]} / (step.x * step.w));
      if (!(std::abs(steps) <= static_cast<double>(kLargestSum))) {
        return c.refuse("the bias of output channel {} is {} steps of the accumulator, beyond 32 bits", i, steps);
      }
      c.plan.bias.push_back(static_cast<int32_t>(steps));
    }
    const int64_t largest = reach[i] + std::abs(static_cast<int64_t>(steps));
    if (largest > kLargestSum) {
      return c.refuse("the accumulator of output channel {} could reach {}, beyond 32 bits", i, largest);
    }
    const std::optional<Grid>& grid = c.plan.outputs[0].grid;
    if (!c.add_multiplier(step.x, step.w, grid ? double{grid->scale} : 1.0)) return false;
  }
  return true;
}

// The same for constant weights in input 1.
bool finish_weights(NodeContext& c, std::vector<int64_t> sums, int64_t scales, ValueId bias) {
  const Grid& x = c.grid(0);
  for (int64_t& sum : sums) sum *= x.reach();
  return finish(
      c, sums,
      [&](int64_t i) {
        return Factors{double{x.scale}, c.weight_scale(i % scales)};
      },
      bias);
}

// Two activations, `length` products per sum.
bool finish_activations(NodeContext& c, int64_t length, ValueId bias) {
  const Grid &a = c.grid(0), &b = c.grid(1);
  const int64_t largest = a.reach() * b.reach();
  if (largest > 0 && length > kLargestSum / largest) {
    return c.refuse("sums of {} products of up to {} could leave 32 bits", length, largest);
  }
  // The scales are the same for all columns; only a bias tells them apart.
  const Tensor* constant = c.constant_of(bias);
  const std::vector<int64_t> reach(constant == nullptr ? 1 : static_cast<size_t>(constant->size()), length * largest);
  return finish(
      c, reach,
      [&](int64_t) {
        return Factors{double{a.scale}, double{b.scale}};
      },
      bias);
}

// The matrix product's common half: weights when input 1 is a constant matrix, else two activations. `inner_axis` and
// `column_axis` are those of the matrix in input 1, counted from the end.
bool plan_product(NodeContext& c, int64_t inner_axis, int64_t column_axis, ValueId bias) {
  c.plan.form = IntegerForm::MatrixProduct;
  if (!c.read_codes(0) || !c.find_output(/*may_be_real=*/true)) return false;
  const Tensor* matrix = c.constant(1);
  if (matrix != nullptr && matrix->rank() == 2) {
    if (!c.read_weights(1, 2 + column_axis)) return false;
    const int64_t columns = matrix->dim(2 + column_axis), rows = matrix->dim(2 + inner_axis);
    const bool column_last = column_axis == -1;
    return finish_weights(c, magnitudes(c.plan, columns, column_last ? 1 : rows), columns, bias);
  }
  if (!c.read_codes(1)) return false;
  const TensorType& type = c.graph().value(c.node().input(1)).type;
  if (!type.ranked() || type.rank() < 1) return c.refuse("the shape of its second operand is unknown");
  const auto dim = [&](int64_t axis) { return (*type.shape)[static_cast<size_t>(type.rank() + axis)].value; };
  const int64_t length = type.rank() == 1 ? dim(-1) : dim(inner_axis);
  if (length < 0) return c.refuse("the length of its sums is unknown");
  return finish_activations(c, length, bias);
}

}  // namespace

bool plan_conv(NodeContext& c) {
  c.plan.form = IntegerForm::Convolution;
  if (!c.read_codes(0) || !c.read_weights(1, 0) || !c.find_output(/*may_be_real=*/true)) return false;
  const int64_t channels = c.plan.weights.dim(0);
  if (channels == 0) return c.refuse("it has no output channels");
  const int64_t each = c.plan.weights.size() / channels;
  return finish_weights(c, magnitudes(c.plan, channels, each), channels, c.node().input(2));
}

bool plan_conv_transpose(NodeContext& c) {
  c.plan.form = IntegerForm::TransposedConvolution;
  if (!c.read_codes(0) || !c.read_weights(1, 1) || !c.find_output(/*may_be_real=*/true)) return false;
  // [input channels, output channels of a group, taps...]; groups share the scales.
  const Shape& shape = c.plan.weights.shape();
  const int64_t groups = c.node().int_or("group", 1);
  if (shape.size() < 3 || groups < 1 || shape[0] % groups != 0 || c.plan.weights.size() == 0) {
    return c.refuse("its weights of shape {} can't be split into {} groups", to_string(shape), groups);
  }
  const int64_t per_group = shape[1], taps = c.plan.weights.size() / (shape[0] * shape[1]);
  return finish_weights(c, magnitudes(c.plan, per_group, taps, groups), per_group, c.node().input(2));
}

bool plan_gemm(NodeContext& c) {
  const Node& node = c.node();
  const ValueId bias = node.input(2);
  if (node.float_or("alpha", 1) != 1) return c.refuse("its alpha is not 1");
  if (bias != ValueId::None) {
    if (node.float_or("beta", 1) != 1) return c.refuse("its beta is not 1");
    const Tensor* constant = c.constant(2);
    if (constant != nullptr && constant->rank() > 0 && constant->size() != constant->dim(constant->rank() - 1)) {
      return c.refuse("its bias of shape {} differs between rows", to_string(constant->shape()));
    }
  }
  const bool transposed = node.int_or("transB", 0) != 0;
  return plan_product(c, transposed ? -1 : -2, transposed ? -2 : -1, bias);
}

bool plan_mat_mul(NodeContext& c) { return plan_product(c, -2, -1, ValueId::None); }

}  // namespace halftone::integer_rules
