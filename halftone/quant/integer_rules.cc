#include "halftone/quant/integer_rules.h"

#include <algorithm>
#include <cmath>

namespace halftone::integer_rules {
namespace {

// The only element of a bound of Clip.
std::optional<float> scalar_of(const Tensor* tensor) {
  if (tensor == nullptr || tensor->size() != 1 || !is_floating(tensor->dtype())) return std::nullopt;
  return to_vector<float>(*tensor)[0];
}

template <typename T>
std::vector<int64_t> magnitudes_of(std::span<const T> weights, int64_t channels, int64_t inner, int64_t groups) {
  std::vector<int64_t> sums(static_cast<size_t>(channels * groups), 0);
  if (weights.empty()) return sums;
  const int64_t rows = static_cast<int64_t>(weights.size()) / (groups * channels * inner);
  const T* w = weights.data();
  for (int64_t row = 0; row < groups * rows; ++row) {
    int64_t* sum = sums.data() + row / rows * channels;
    for (int64_t c = 0; c < channels; ++c, w += inner) {
      for (int64_t i = 0; i < inner; ++i) sum[c] += std::abs(static_cast<int32_t>(w[i]));
    }
  }
  return sums;
}

}  // namespace

std::vector<int64_t> magnitudes(const IntegerNode& plan, int64_t channels, int64_t inner, int64_t groups) {
  const bool centred = std::all_of(plan.weight_zero_points.begin(), plan.weight_zero_points.end(),
                                   [](int32_t zero_point) { return zero_point == 0; });
  // The common case needs no copy.
  if (centred && plan.weights.dtype() == DType::Int8) {
    return magnitudes_of(plan.weights.data<int8_t>(), channels, inner, groups);
  }
  return magnitudes_of(std::span<const int32_t>(centred_weights(plan)), channels, inner, groups);
}

NodeContext::NodeContext(const QuantizedModel& model, const Graph& graph, const GraphIndex& index, int position,
                         RequantizeMode mode)
    : model_(model), graph_(graph), index_(index), mode_(mode) {
  plan.node = position;
  plan.inputs.resize(node().inputs.size());
}

const Tensor* NodeContext::constant_of(ValueId id) const {
  if (id == ValueId::None) return nullptr;
  const Value& value = graph_.value(id);
  // An input with a default may be fed something else.
  if (value.constant) return index_.is_graph_input(id) ? nullptr : &*value.constant;
  const int producer = index_.producer(id);
  if (producer < 0) return nullptr;
  const Node& maker = graph_.nodes()[static_cast<size_t>(producer)];
  return maker.is("Constant") ? maker.tensor_or_null("value") : nullptr;
}

int64_t NodeContext::rank(ValueId id) const {
  if (id == ValueId::None) return -1;
  const TensorType& type = graph_.value(id).type;
  return type.ranked() ? type.rank() : -1;
}

std::optional<Grid> NodeContext::activation_grid(const Encoding& encoding, std::string_view what) {
  const QuantParams& params = encoding.params;
  if (!params.per_tensor() || params.scale.size() != 1) {
    refuse("{} has several scales, one for the whole tensor is required", what);
    return std::nullopt;
  }
  if (!params.levels.empty()) {
    refuse("{} is not evenly spaced", what);
    return std::nullopt;
  }
  if (bits_of(params.dtype) > 16) {
    refuse("{} has codes of {} bits, at most 16 are required", what, bits_of(params.dtype));
    return std::nullopt;
  }
  return Grid{params.dtype, params.scale[0], params.zero_point[0], static_cast<int32_t>(params.q_min),
              static_cast<int32_t>(params.q_max)};
}

bool NodeContext::read_codes(size_t input) {
  const ValueId id = node().input(input);
  if (id == ValueId::None) return refuse("input {} is left out", input);
  const std::string& name = graph_.value(id).name;
  const Encoding* encoding = this->encoding(id);
  if (encoding == nullptr) return refuse("its input '{}' has no encoding", name);
  plan.inputs[input] = activation_grid(*encoding, fmt::format("its input '{}'", name));
  return plan.inputs[input].has_value();
}

bool NodeContext::read_weights(size_t input, int64_t channel_axis) {
  const ValueId id = node().input(input);
  const Tensor* tensor = constant(input);
  if (tensor == nullptr) return refuse("its weights are computed by the network");
  const Encoding* encoding = this->encoding(id);
  if (encoding == nullptr) return refuse("its weights have no encoding");
  if (tensor->dtype() != DType::Float) return refuse("its weights are {}, not float", name_of(tensor->dtype()));
  const QuantParams& params = encoding->params;
  check_params(params, tensor->shape(), describe(graph_, node()));
  if (bits_of(params.dtype) > 16) return refuse("its weights have more than 16 bits");
  if (params.block_size > 0) return refuse("its weights have a scale per block, and a sum crosses blocks");
  if (!params.levels.empty()) return refuse("its weights are not evenly spaced");
  if (!params.per_tensor() && params.axis != channel_axis) {
    return refuse("its weights have scales along axis {}, which is not that of the output channels", params.axis);
  }
  plan.weights = quantize(*tensor, params);
  plan.weight_zero_points = params.zero_point;
  plan.weight_axis = params.axis;
  weight_scales_.assign(params.scale.begin(), params.scale.end());
  return true;
}

std::optional<std::pair<int32_t, int32_t>> NodeContext::activation_bounds(const Node& activation,
                                                                          const Grid& grid) const {
  const auto code = [&](float real) { return quantize(real, grid.scale, grid.zero_point, grid.low, grid.high); };
  if (activation.is("Relu")) return std::pair{code(0.0F), grid.high};
  if (!activation.is("Clip")) return std::nullopt;
  float least = -INFINITY, most = INFINITY;
  if (activation.inputs.size() <= 1) {
    least = activation.float_or("min", least);
    most = activation.float_or("max", most);
  }
  for (size_t i = 1; i < activation.inputs.size(); ++i) {
    if (activation.inputs[i] == ValueId::None) continue;
    const std::optional<float> bound = scalar_of(constant_of(activation.inputs[i]));
    if (!bound) return std::nullopt;
    (i == 1 ? least : most) = *bound;
  }
  if (!(least <= most)) return std::nullopt;
  return std::pair{code(least), code(most)};
}

bool NodeContext::find_output(bool may_be_real) {
  for (size_t i = 1; i < node().outputs.size(); ++i) {
    if (node().outputs[i] != ValueId::None) return refuse("its output {} is in use", i);
  }
  IntegerOutput output;
  output.mode = mode_;
  output.value = node().output(0);
  const Encoding* own = encoding(output.value);
  const Encoding* encoding = own;
  if (own == nullptr) {
    const int next = index_.sole_consumer(output.value);
    if (next >= 0) {
      const Node& activation = graph_.nodes()[static_cast<size_t>(next)];
      const bool absorbable = activation.is("Relu") || (activation.is("Clip") && activation.input(0) == output.value);
      if (absorbable) encoding = this->encoding(activation.output(0));
      if (encoding != nullptr) plan.activation = next;
    }
  }
  if (encoding == nullptr) {
    if (!may_be_real) return refuse("its output has no encoding");
    plan.outputs.push_back(std::move(output));
    return true;
  }
  output.grid = activation_grid(*encoding, "its output");
  if (!output.grid) return false;
  output.low = output.grid->low;
  output.high = output.grid->high;
  if (plan.activation >= 0) {
    const Node& activation = graph_.nodes()[static_cast<size_t>(plan.activation)];
    const auto bounds = activation_bounds(activation, *output.grid);
    if (bounds) {
      std::tie(output.low, output.high) = *bounds;
      output.value = activation.output(0);
    } else {
      plan.activation = -1;
      if (!may_be_real) return refuse("its output has no encoding");
      output.grid.reset();
    }
  }
  plan.outputs.push_back(std::move(output));
  return true;
}

bool NodeContext::find_outputs() {
  for (ValueId id : node().outputs) {
    IntegerOutput output;
    output.mode = mode_;
    output.value = id;
    const Encoding* encoding = this->encoding(id);
    if (encoding == nullptr) return refuse("one of its outputs has no encoding");
    output.grid = activation_grid(*encoding, "its output");
    if (!output.grid) return false;
    output.low = output.grid->low;
    output.high = output.grid->high;
    plan.outputs.push_back(std::move(output));
  }
  return true;
}

bool NodeContext::add_multiplier(double a, double b, double c, size_t output) {
  const float multiplier = make_multiplier(a, b, c);
  if (!std::isnormal(multiplier) || multiplier < 0) {
    return refuse("the ratio of its scales, {}, is no normal float32 number", a * b / c);
  }
  plan.outputs[output].multipliers.push_back(multiplier);
  return true;
}

}  // namespace halftone::integer_rules
