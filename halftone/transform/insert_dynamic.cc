#include "halftone/transform/insert_dynamic.h"

#include <algorithm>
#include <cfloat>

#include "halftone/tensor/packing.h"

namespace halftone {
namespace {

// [k, n] of [n, k].
std::vector<int32_t> transposed(const std::vector<int32_t>& from, int64_t rows, int64_t columns) {
  std::vector<int32_t> to(from.size());
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t c = 0; c < columns; ++c)
      to[static_cast<size_t>(c * rows + r)] = from[static_cast<size_t>(r * columns + c)];
  }
  return to;
}

}  // namespace

ValueId DynamicWriter::add(const std::string& op, std::vector<ValueId> inputs, const std::string& output, DType dtype,
                           const std::vector<std::pair<std::string, AttributeValue>>& attributes) {
  Node node;
  node.op_type = op;
  node.inputs = std::move(inputs);
  node.outputs = {graph_.add_value(graph_.fresh_name(output), {dtype, std::nullopt})};
  node.name = name(node.outputs[0]) + "_" + op;
  for (const auto& [key, value] : attributes) node.set_attribute(key, value);
  graph_.nodes().push_back(std::move(node));
  return graph_.nodes().back().outputs[0];
}

ValueId DynamicWriter::cast(ValueId x, DType dtype, const std::string& output) {
  return add("Cast", {x}, output, dtype, {{"to", static_cast<int64_t>(dtype)}});
}

ValueId DynamicWriter::shared(const std::string& constant_name, const Tensor& content) {
  const auto [found, is_new] = shared_.try_emplace(constant_name, ValueId::None);
  if (is_new) found->second = graph_.add_constant(graph_.fresh_name(constant_name), content);
  return found->second;
}

DynamicWriter::Codes DynamicWriter::quantize(ValueId x) {
  const auto found = whole_.find(x);
  if (found != whole_.end()) return found->second;
  const std::string stem = name(x);
  const ValueId codes = add("DynamicQuantizeLinear", {x}, stem + "_quantized", DType::UInt8);
  const size_t node = graph_.nodes().size() - 1;
  const ValueId scale = graph_.add_value(graph_.fresh_name(stem + "_scale"), {DType::Float, std::vector<Dim>{}});
  const ValueId zero = graph_.add_value(graph_.fresh_name(stem + "_zero_point"), {DType::UInt8, std::vector<Dim>{}});
  graph_.nodes()[node].outputs = {codes, scale, zero};
  return whole_[x] = {codes, scale, zero};
}

DynamicWriter::Codes DynamicWriter::quantize_rows(ValueId x) {
  const auto found = rows_.find(x);
  if (found != rows_.end()) return found->second;
  const std::string stem = name(x) + "_rows";
  const ValueId none = shared("dynamic_rows_0", Tensor::scalar(0.0F)),
                most = shared("dynamic_rows_255", Tensor::scalar(255.0F));
  const auto extreme = [&](const std::string& reduce, const std::string& with_zero, const std::string& suffix) {
    std::vector<ValueId> inputs = {x};
    std::vector<std::pair<std::string, AttributeValue>> attributes = {{"keepdims", int64_t{1}}};
    if (graph_.opset() >= 18) {
      inputs.push_back(shared("dynamic_rows_axes", Tensor::from<int64_t>({1}, std::vector<int64_t>{-1})));
    } else {
      attributes.emplace_back("axes", std::vector<int64_t>{-1});
    }
    const ValueId of_row = add(reduce, std::move(inputs), stem + suffix + "est", DType::Float, attributes);
    return add(with_zero, {of_row, none}, stem + suffix, DType::Float);
  };
  const ValueId low = extreme("ReduceMin", "Min", "_low"), high = extreme("ReduceMax", "Max", "_high");
  const ValueId width = add("Sub", {high, low}, stem + "_width", DType::Float);
  const ValueId scale = add(
      "Max",
      {add("Div", {width, most}, stem + "_step", DType::Float), shared("dynamic_rows_least", Tensor::scalar(FLT_MIN))},
      stem + "_scale", DType::Float);
  const auto round = [&](ValueId dividend, const std::string& suffix) {
    const ValueId steps = add("Div", {dividend, scale}, stem + suffix + "_steps", DType::Float);
    return add("Round", {steps}, stem + suffix + "_rounded", DType::Float);
  };
  const auto clip = [&](ValueId steps, const std::string& output) {
    return add("Clip", {steps, none, most}, output, DType::Float);
  };
  const ValueId zero = clip(round(add("Neg", {low}, stem + "_below", DType::Float), "_zero"), stem + "_zero_point");
  const ValueId shifted = add("Add", {round(x, "_real"), zero}, stem + "_shifted", DType::Float);
  const ValueId codes = cast(clip(shifted, stem + "_clipped"), DType::UInt8, stem + "_quantized");
  return rows_[x] = {codes, scale, zero};
}

DynamicWriter::Weights DynamicWriter::write_weights(const Node& node, const IntegerNode& plan,
                                                    const QuantParams& grid) {
  const ValueId id = node.inputs[1];
  const bool flip = node.int_or("transB", 0) != 0, by_row = plan.dynamic == DynamicRange::PerRow;
  const auto key = std::tuple(id, flip, by_row);
  const auto found = weights_.find(key);
  if (found != weights_.end()) return found->second;
  if (bits_of(grid.dtype) != 8) {
    fail(ErrorCode::Unsupported, describe(graph_, node),
         "weights of 8 bits are required where activations get their grids at run time, found {}", name_of(grid.dtype));
  }
  const std::string stem = name(id);
  Tensor codes = plan.weights;
  if (flip) {
    const std::vector<int32_t> flipped = transposed(unpack_integers(codes), codes.dim(0), codes.dim(1));
    codes = pack_integers(grid.dtype, {codes.dim(1), codes.dim(0)}, flipped);
  }
  const auto count = static_cast<int64_t>(grid.scale.size());
  Shape dims = grid.per_tensor() ? Shape{} : Shape{count};
  Weights weights;
  weights.codes = graph_.add_constant(graph_.fresh_name(stem + "_quantized"), codes);
  if (std::any_of(grid.zero_point.begin(), grid.zero_point.end(), [](int32_t z) { return z != 0; })) {
    weights.zero =
        graph_.add_constant(graph_.fresh_name(stem + "_zero_point"), pack_integers(grid.dtype, dims, grid.zero_point));
  }
  // Broadcast over results, whose channels come first in convolutions.
  if (node.is("Conv") && !grid.per_tensor()) dims.resize(static_cast<size_t>(codes.rank() - 1), 1);
  weights.scale = graph_.add_constant(graph_.fresh_name(stem + "_scale"), Tensor::from(dims, grid.scale));
  if (by_row) {
    const std::vector<int32_t> values = unpack_integers(codes);
    const auto columns = static_cast<size_t>(codes.dim(1));
    std::vector<int32_t> sums(columns);
    for (size_t i = 0; i < values.size(); ++i) {
      sums[i % columns] += values[i] - grid.zero_point[grid.zero_point.size() == 1 ? 0 : i % columns];
    }
    weights.sums = graph_.add_constant(graph_.fresh_name(stem + "_column_sums"),
                                       Tensor::from({static_cast<int64_t>(columns)}, sums));
  }
  return weights_[key] = weights;
}

ValueId DynamicWriter::column_sums(const Codes& b, const std::string& stem) {
  const ValueId centred = add(
      "Sub", {cast(b.codes, DType::Int32, stem + "_columns"), cast(b.zero, DType::Int32, stem + "_columns_zero_point")},
      stem + "_columns_centred", DType::Int32);
  const ValueId axes = graph_.add_constant(graph_.fresh_name(stem + "_columns_axes"),
                                           Tensor::from<int64_t>({1}, std::vector<int64_t>{-2}));
  return add("ReduceSum", {centred, axes}, stem + "_column_sums", DType::Int32, {{"keepdims", int64_t{1}}});
}

ValueId DynamicWriter::correction(const std::string& stem, ValueId zero, ValueId sums) {
  return add("Mul", {cast(zero, DType::Int32, stem + "_zero_point"), sums}, stem + "_correction", DType::Int32);
}

void DynamicWriter::write(const Node& node, const IntegerNode& plan, const QuantParams* weights) {
  const ValueId result = node.outputs[0];
  const std::string stem = name(result);
  const bool by_row = plan.dynamic == DynamicRange::PerRow;
  const Codes x = by_row ? quantize_rows(node.inputs[0]) : quantize(node.inputs[0]);
  Weights second;
  if (weights != nullptr) {
    second = write_weights(node, plan, *weights);
  } else {
    ValueId b = node.inputs[1];
    if (node.int_or("transB", 0) != 0) {
      b = add("Transpose", {b}, name(b) + "_transposed", DType::Float, {{"perm", std::vector<int64_t>{1, 0}}});
    }
    const Codes codes = quantize(b);
    second = {codes.codes, codes.scale, codes.zero, by_row ? column_sums(codes, stem) : ValueId::None};
  }

  Node product;
  product.op_type = node.is("Conv") ? "ConvInteger" : "MatMulInteger";
  product.name = node.name + "_quant";
  if (node.is("Conv")) product.attributes = node.attributes;
  product.inputs = {x.codes, second.codes, by_row ? ValueId::None : x.zero, second.zero};
  // Left out before one that is not, an operand is more than some runtimes expect.
  if (by_row && second.zero != ValueId::None)
    product.inputs[2] = shared("dynamic_rows_no_zero", Tensor::scalar(uint8_t{0}));
  while (product.inputs.back() == ValueId::None) product.inputs.pop_back();
  product.outputs = {graph_.add_value(graph_.fresh_name(stem + "_sums"), {DType::Int32, std::nullopt})};
  ValueId sums = product.outputs[0];
  graph_.nodes().push_back(std::move(product));
  if (by_row) sums = add("Sub", {sums, correction(stem, x.zero, second.sums)}, stem + "_corrected", DType::Int32);

  const ValueId real = cast(sums, DType::Float, stem + "_real");
  const ValueId step = add("Mul", {x.scale, second.scale}, stem + "_step", DType::Float);
  const ValueId last = add("Mul", {real, step}, stem + "_product", DType::Float);
  if (!plan.real_bias.empty()) {
    Shape dims = {static_cast<int64_t>(plan.real_bias.size())};
    if (node.is("Conv")) dims.resize(static_cast<size_t>(plan.weights.rank() - 1), 1);
    const ValueId bias = graph_.add_constant(graph_.fresh_name(stem + "_bias"), Tensor::from(dims, plan.real_bias));
    add("Add", {last, bias}, stem + "_biased", DType::Float);
  }
  // Whatever came last makes the result.
  graph_.nodes().back().outputs = {result};
}

}  // namespace halftone
