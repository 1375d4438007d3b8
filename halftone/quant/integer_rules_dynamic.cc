// Sums of products whose activations get their grids at run time.
#include <cmath>
#include <limits>

#include "halftone/quant/integer_rules.h"

namespace halftone::integer_rules {
namespace {

// |q - zero_point| of a uint8 grid, wherever its zero point lies.
constexpr int64_t kReach = 255;

bool is_float(const NodeContext& c, ValueId id) {
  return id != ValueId::None && c.graph().value(id).type.dtype == DType::Float;
}

bool take_bias(NodeContext& c, ValueId id, int64_t channels) {
  if (id == ValueId::None) return true;
  const Tensor* bias = c.constant_of(id);
  if (bias == nullptr) return c.refuse("its bias is computed by the network");
  if (bias->dtype() != DType::Float) return c.refuse("its bias is {}, not float", name_of(bias->dtype()));
  c.plan.real_bias = to_vector<float>(*bias);
  if (bias->size() == 1) c.plan.real_bias.resize(static_cast<size_t>(channels), c.plan.real_bias[0]);
  if (static_cast<int64_t>(c.plan.real_bias.size()) != channels) {
    return c.refuse("its bias has {} elements for {} output channels", bias->size(), channels);
  }
  return true;
}

// The step of each channel's weights and the proof that no sum leaves int32.
bool finish_weights(NodeContext& c, int64_t channels, int64_t inner) {
  const std::vector<int64_t> sums = magnitudes(c.plan, channels, inner);
  for (size_t i = 0; i < sums.size(); ++i) {
    if (sums[i] > kLargestSum / kReach) {
      return c.refuse("the accumulator of output channel {} could reach {} times {}, beyond 32 bits", i, sums[i],
                      kReach);
    }
    if (!c.add_multiplier(c.weight_scale(static_cast<int64_t>(i)), 1, 1)) return false;
  }
  return true;
}

bool finish_convolution(NodeContext& c) {
  if (c.plan.dynamic == DynamicRange::PerRow) return c.refuse("a convolution has no rows that could have a range each");
  if (!c.read_weights(1, 0)) return false;
  const int64_t channels = c.plan.weights.dim(0);
  if (channels == 0) return c.refuse("it has no output channels");
  const int64_t each = c.plan.weights.size() / channels;
  return finish_weights(c, channels, each) && take_bias(c, c.node().input(2), channels);
}

bool finish_activations(NodeContext& c, bool transposed) {
  const TensorType& type = c.graph().value(c.node().input(1)).type;
  if (c.constant(1) != nullptr) return c.refuse("its constant operand is no matrix of weights");
  if (!is_float(c, c.node().input(1))) return c.refuse("its second operand is not float");
  if (!type.ranked() || type.rank() < 2) return c.refuse("its second operand is not known to be a matrix");
  const int64_t length = (*type.shape)[static_cast<size_t>(type.rank() - (transposed ? 1 : 2))].value;
  if (length < 0) return c.refuse("the length of its sums is unknown");
  if (length > kLargestSum / (kReach * kReach)) {
    return c.refuse("sums of {} products of up to {} could leave 32 bits", length, kReach * kReach);
  }
  if (c.node().input(2) != ValueId::None) return c.refuse("two activations and a bias are not supported together");
  c.plan.outputs[0].multipliers = {1.0F};
  return true;
}

bool finish_matrices(NodeContext& c) {
  const Node& node = c.node();
  if (node.float_or("alpha", 1) != 1) return c.refuse("its alpha is not 1");
  if (node.input(2) != ValueId::None && node.float_or("beta", 1) != 1) return c.refuse("its beta is not 1");
  if (node.int_or("transA", 0) != 0) return c.refuse("its first operand is transposed");
  const bool transposed = node.int_or("transB", 0) != 0;
  const Tensor* matrix = c.constant(1);
  if (matrix == nullptr || matrix->rank() != 2) return finish_activations(c, transposed);
  if (!c.read_weights(1, transposed ? 0 : 1)) return false;
  const int64_t columns = matrix->dim(transposed ? 0 : 1), length = matrix->dim(transposed ? 1 : 0);
  return finish_weights(c, columns, transposed ? length : 1) && take_bias(c, node.input(2), columns);
}

}  // namespace

bool plan_dynamic(NodeContext& c) {
  const Node& node = c.node();
  c.plan.form = IntegerForm::DynamicProduct;
  c.plan.dynamic = c.dynamic();
  c.plan.outputs.emplace_back().value = node.output(0);
  if (!is_float(c, node.input(0))) return c.refuse("its first operand is not float");
  if (node.is("Conv")) return finish_convolution(c);
  if (node.is("Gemm") || node.is("MatMul")) return finish_matrices(c);
  return c.refuse("only Conv, Gemm and MatMul have ranges found at run time");
}

}  // namespace halftone::integer_rules
