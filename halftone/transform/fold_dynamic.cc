#include "halftone/transform/fold_dynamic.h"

#include <algorithm>
#include <tuple>

#include "halftone/graph/op_table.h"
#include "halftone/tensor/packing.h"
#include "halftone/transform/dynamic_pattern.h"
#include "halftone/transform/qdq_params.h"

namespace halftone {
namespace {

using dynamic_pattern::Matcher;
using dynamic_pattern::Source;

class DynamicFolder {
 public:
  DynamicFolder(QuantizedModel model, const EncodingNotes& notes)
      : model_(std::move(model)), notes_(notes), nodes_(graph().nodes()), index_(graph()), matcher_(graph(), index_) {}

  QuantizedModel fold() {
    for (const Node& node : nodes_) {
      if (!node.is("MatMulInteger") && !node.is("ConvInteger")) continue;
      const std::string reason = fold_product(node);
      if (!reason.empty() && node.output(0) != ValueId::None) {
        model_.float_reasons[node.name.empty() ? graph().value(node.outputs[0]).name : node.name] = reason;
      }
    }
    restore_refused();
    if (folded_.empty()) return std::move(model_);
    std::vector<Node> nodes = nodes_;
    for (auto& [position, node] : folded_) nodes[static_cast<size_t>(position)] = std::move(node);
    graph().nodes() = std::move(nodes);
    graph().remove_dead();
    infer_shapes(graph());
    return std::move(model_);
  }

 private:
  Graph& graph() { return model_.graph; }

  // "" when the node and what stands around it became one product, else why not.
  std::string fold_product(const Node& node) {
    const std::optional<Source> x = matcher_.source(node.input(0), node.input(2));
    if (!x) return "its first operand comes from no DynamicQuantizeLinear";
    const Tensor* codes = qdq::fixed_constant(graph(), index_, node.input(1));
    std::optional<Source> other;
    if (codes == nullptr) {
      other = matcher_.source(node.input(1), node.input(3));
      if (!other || other->range == DynamicRange::PerRow) return "its second operand is neither constant nor dynamic";
    }
    const ValueId sums = x->range == DynamicRange::PerRow ? corrected(node, *x, codes, other) : node.output(0);
    const Node* cast = matcher_.read_by(sums, "Cast");
    if (!matcher_.casts_to(cast, DType::Float)) return "its sums are read by others than a Cast to float";
    const Node* product = matcher_.read_by(cast->output(0), "Mul");
    const Node* step =
        product == nullptr ? nullptr : matcher_.made_by(Matcher::other(*product, cast->output(0)), "Mul");
    const ValueId factor = step == nullptr ? ValueId::None : Matcher::other(*step, x->scale);
    if (factor == ValueId::None || (other && factor != other->scale)) {
      return "its sums are not multiplied with the scales of its operands";
    }

    const Node* add = matcher_.read_by(product->output(0), "Add");
    // The one behind a product that is a result itself is the network's own.
    const ProductNote* note = note_of(node, product->output(0), false);
    if (note != nullptr) add = nullptr;
    if (add != nullptr) note = note_of(node, add->output(0), true);
    const bool is_gemm = note != nullptr && note->op == "Gemm" && can_be_matrix(x->real) &&
                         (other ? can_be_matrix(other->real) : codes->rank() == 2);
    if (node.is("MatMulInteger") && !is_gemm) add = nullptr;

    Node folded;
    folded.name = qdq::strip_suffix(node.name, "_quant");
    folded.op_type = node.is("ConvInteger") ? "Conv" : is_gemm ? "Gemm" : "MatMul";
    folded.attributes = is_gemm ? gemm_attributes(*note) : node.attributes;
    const bool transposed = is_gemm && folded.int_or("transB", 0) != 0;
    folded.inputs = {x->real, other ? other->real : ValueId::None};
    if (other && transposed) {
      const Node* transpose = matcher_.made_by(other->real, "Transpose");
      if (transpose == nullptr) return "its second operand was noted to be transposed";
      folded.inputs[1] = transpose->input(0);
    }
    int last = index_.producer(product->output(0));
    if (codes != nullptr) {
      const std::optional<QuantParams> grid = weight_grid(node, *codes, factor);
      if (!grid) return "the scales of its weights are not one per output channel";
      const std::optional<Tensor> bias =
          add == nullptr ? std::nullopt : channel_bias(node, *add, product->output(0), *codes);
      // Adding a value moves what points into the graph's values.
      folded.inputs[1] = weights(node, *grid, factor, transposed, note);
      if (bias) {
        folded.inputs.push_back(note == nullptr ? graph().add_constant(graph().fresh_name(folded.name + "_bias"), *bias)
                                                : constant(note->bias, noted_bias(*note, *bias), std::nullopt));
        last = index_.producer(add->output(0));
      }
    }
    folded.outputs = {nodes_[static_cast<size_t>(last)].outputs[0]};
    model_.dynamic[graph().value(folded.outputs[0]).name] = x->range;
    folded_[last] = std::move(folded);
    return "";
  }

  // --- what notes know

  bool can_be_matrix(ValueId id) {
    const TensorType& type = graph().value(id).type;
    return !type.ranked() || type.rank() == 2;
  }

  // That of a result which a product of codes, with or without a bias, can be.
  const ProductNote* note_of(const Node& node, ValueId result, bool with_bias) {
    const auto found = notes_.products.find(graph().value(result).name);
    if (found == notes_.products.end()) return nullptr;
    const ProductNote& note = found->second;
    const bool right_op = node.is("ConvInteger") ? note.op == "Conv" : note.op == "MatMul" || note.op == "Gemm";
    bool can_be = right_op && note.bias.empty() != with_bias;
    for (const auto& [name, number] : note.attributes) {
      const bool is_free = (name == "beta" && !with_bias) || name == "transB";
      can_be = can_be && (is_free || number == (name == "transA" ? 0 : 1));
    }
    return can_be ? &note : nullptr;
  }

  static std::vector<Attribute> gemm_attributes(const ProductNote& note) {
    Node gemm;
    for (const auto& [name, number] : note.attributes) {
      if (name == "alpha" || name == "beta") gemm.set_attribute(name, static_cast<float>(number));
      if (name == "transA" || name == "transB") gemm.set_attribute(name, int64_t{number != 0});
    }
    return gemm.attributes;
  }

  // The bias, one number per channel, in the shape that it had.
  static Tensor noted_bias(const ProductNote& note, const Tensor& bias) {
    const std::vector<float> content = to_vector<float>(bias);
    const bool is_row = std::all_of(note.bias_shape.begin(), note.bias_shape.end(),
                                    [&](int64_t dim) { return dim == 1 || dim == bias.size(); });
    if (!is_row || note.bias_shape.size() > 2) return bias;
    const int64_t size = element_count(note.bias_shape);
    if (size == bias.size()) return bias.reshaped(note.bias_shape);
    const bool same = std::equal(content.begin() + 1, content.end(), content.begin());
    return size == 1 && same ? Tensor::from<float>(note.bias_shape, std::vector{content[0]}) : bias;
  }

  // A constant of that name, which may be there already.
  ValueId constant(const std::string& name, const Tensor& content, const std::optional<Encoding>& encoding) {
    const ValueId there = graph().find(name);
    if (there != ValueId::None) {
      const Encoding* found = find_encoding(model_, there);
      const std::optional<Tensor>& constant = graph().value(there).constant;
      const bool on_grid = encoding ? found != nullptr && found->params == encoding->params : found == nullptr;
      if (constant && on_grid && constant->same_as(content)) return there;
    }
    const ValueId id = graph().add_constant(graph().fresh_name(name.empty() ? "constant" : name), content);
    if (encoding) model_.encodings[graph().value(id).name] = *encoding;
    return id;
  }

  // Noted products that were written in float.
  void restore_refused() {
    std::map<std::string_view, const Node*> results;
    for (const Node& node : graph().nodes()) {
      if (node.output(0) != ValueId::None) results[graph().value(node.outputs[0]).name] = &node;
    }
    for (const auto& [name, note] : notes_.products) {
      const auto found = results.find(name);
      if (found != results.end() && found->second->is(note.op)) model_.dynamic.emplace(name, note.range);
    }
  }

  // --- grids by row: sums of codes, from which zero point times sum of weights is taken off

  ValueId corrected(const Node& node, const Source& x, const Tensor* codes, const std::optional<Source>& other) {
    const Node* subtract = matcher_.read_by(node.output(0), "Sub");
    if (subtract == nullptr || subtract->input(0) != node.output(0)) return ValueId::None;
    const Node* correction = matcher_.made_by(subtract->input(1), "Mul");
    const Node* zero = correction == nullptr ? nullptr : matcher_.made_by(correction->input(0), "Cast");
    if (!matcher_.casts_to(zero, DType::Int32) || zero->input(0) != x.zero) return ValueId::None;
    const ValueId sums = correction->input(1);
    const bool right =
        codes != nullptr ? are_column_sums(node, *codes, sums) : sums_columns(*other, node.input(1), sums);
    return right ? subtract->output(0) : ValueId::None;
  }

  bool are_column_sums(const Node& node, const Tensor& codes, ValueId sums) {
    const Tensor* stated = qdq::fixed_constant(graph(), index_, sums);
    if (stated == nullptr || stated->dtype() != DType::Int32 || codes.rank() != 2) return false;
    const auto columns = static_cast<size_t>(codes.dim(1));
    std::vector<int32_t> expected(columns), zero = zero_points(node, codes);
    if (zero.size() != 1 && zero.size() != columns) return false;
    const std::vector<int32_t> values = unpack_integers(codes);
    for (size_t i = 0; i < values.size(); ++i) {
      expected[i % columns] += values[i] - zero[zero.size() == 1 ? 0 : i % columns];
    }
    return to_vector<int32_t>(*stated) == expected;
  }

  // ReduceSum over the rows of Sub(Cast(codes), Cast(zero)).
  bool sums_columns(const Source& b, ValueId codes, ValueId sums) {
    const Node* reduce = matcher_.made_by(sums, "ReduceSum");
    const Tensor* axes = reduce == nullptr ? nullptr : qdq::fixed_constant(graph(), index_, reduce->input(1));
    const Node* centred = reduce == nullptr ? nullptr : matcher_.made_by(reduce->input(0), "Sub");
    if (axes == nullptr || centred == nullptr || to_vector<int64_t>(*axes) != std::vector<int64_t>{-2}) return false;
    const Node *left = matcher_.made_by(centred->input(0), "Cast"),
               *right = matcher_.made_by(centred->input(1), "Cast");
    return matcher_.casts_to(left, DType::Int32) && matcher_.casts_to(right, DType::Int32) && left->input(0) == codes &&
           right->input(0) == b.zero && reduce->int_or("keepdims", 1) == 1;
  }

  // --- constant weights

  static int64_t channel_axis(const Node& node, const Tensor& codes) {
    return node.is("ConvInteger") ? 0 : codes.rank() - 1;
  }

  std::vector<int32_t> zero_points(const Node& node, const Tensor& codes) {
    if (node.input(3) == ValueId::None) return {0};
    const Tensor* zero = qdq::fixed_constant(graph(), index_, node.input(3));
    if (zero == nullptr) return {};
    if (zero->dtype() != codes.dtype()) {
      fail(ErrorCode::InvalidModel, describe(graph(), node), "its zero point '{}' must be {} like its codes, found {}",
           graph().value(node.input(3)).name, name_of(codes.dtype()), name_of(zero->dtype()));
    }
    return to_vector<int32_t>(*zero);
  }

  // Whether numbers of this shape, broadcast over the result, differ between channels only.
  static bool lies_along_channels(const Node& node, const Shape& shape, const Tensor& codes) {
    const int64_t channels = codes.dim(channel_axis(node, codes));
    // Counted from the end, where shapes are aligned.
    const auto place = static_cast<size_t>(node.is("ConvInteger") ? codes.rank() - 1 : 1);
    for (size_t i = 1; i <= shape.size(); ++i) {
      if (shape[shape.size() - i] != (i == place ? channels : 1)) return false;
    }
    return shape.size() >= place;
  }

  std::optional<QuantParams> weight_grid(const Node& node, const Tensor& codes, ValueId factor) {
    const Tensor* scale = qdq::fixed_constant(graph(), index_, factor);
    if (scale == nullptr || codes.rank() < 2 || codes.size() == 0) return std::nullopt;
    const bool single = scale->size() == 1;
    if (!single && !lies_along_channels(node, scale->shape(), codes)) return std::nullopt;
    const int64_t axis = channel_axis(node, codes);
    const qdq::GridOperands operands{factor, ValueId::None, codes.dtype(), codes.shape(),
                                     single ? std::nullopt : std::optional(axis)};
    std::optional<QuantParams> grid = qdq::parse_grid(graph(), index_, node, operands).params;
    if (!grid) return std::nullopt;
    std::vector<int32_t> zero = zero_points(node, codes);
    if (zero.empty()) return std::nullopt;
    const auto channels = static_cast<size_t>(codes.dim(axis));
    if (zero.size() != 1 && zero.size() != channels) {
      fail(ErrorCode::InvalidModel, describe(graph(), node), "its zero point '{}' requires 1 or {} numbers, found {}",
           graph().value(node.input(3)).name, channels, zero.size());
    }
    if (zero.size() > grid->scale.size()) {
      grid->scale.resize(channels, grid->scale[0]);
      grid->axis = axis;
    }
    zero.resize(grid->scale.size(), zero[0]);
    grid->zero_point = std::move(zero);
    return grid;
  }

  // The weights as real numbers, once for all nodes that read the same codes on the same grid.
  ValueId weights(const Node& node, QuantParams grid, ValueId factor, bool transposed, const ProductNote* note) {
    const auto [found, is_new] = weights_.try_emplace({node.input(1), factor, node.input(3), transposed});
    if (!is_new) return found->second;
    Tensor real = dequantize(*qdq::fixed_constant(graph(), index_, node.input(1)), grid);
    if (transposed) {
      real = flipped(real);
      if (!grid.per_tensor()) grid.axis = 1 - grid.axis;
    }
    const Encoding encoding{grid, qdq::spec_of(grid)};
    if (note != nullptr) return found->second = constant(note->weights, real, encoding);
    const std::string name = qdq::strip_suffix(graph().value(node.input(1)).name, "_quantized");
    const bool is_free = graph().find(name) == ValueId::None;
    return found->second = constant(is_free ? name : graph().fresh_name(name + "_real"), real, encoding);
  }

  static Tensor flipped(const Tensor& matrix) {
    const int64_t rows = matrix.dim(0), columns = matrix.dim(1);
    Tensor result(DType::Float, {columns, rows});
    const std::span<const float> from = matrix.data<float>();
    const std::span<float> to = result.mutable_data<float>();
    for (int64_t r = 0; r < rows; ++r) {
      for (int64_t c = 0; c < columns; ++c)
        to[static_cast<size_t>(c * rows + r)] = from[static_cast<size_t>(r * columns + c)];
    }
    return result;
  }

  // What an Add gives to each channel of a product, also where a Reshape brings it there.
  std::optional<Tensor> channel_bias(const Node& product, const Node& add, ValueId real, const Tensor& codes) {
    const ValueId id = Matcher::other(add, real);
    const Node* reshape = matcher_.made_by(id, "Reshape");
    const Tensor* content = qdq::fixed_constant(graph(), index_, reshape == nullptr ? id : reshape->input(0));
    const int64_t channels = codes.dim(channel_axis(product, codes));
    const Tensor* target = reshape == nullptr ? nullptr : qdq::fixed_constant(graph(), index_, reshape->input(1));
    if (content == nullptr || content->dtype() != DType::Float || content->size() != channels) return std::nullopt;
    Shape shape = content->shape();
    if (reshape != nullptr) {
      if (target == nullptr) return std::nullopt;
      shape = to_vector<int64_t>(*target);
      std::replace(shape.begin(), shape.end(), int64_t{-1}, channels);
    }
    if (!lies_along_channels(product, shape, codes)) return std::nullopt;
    return content->reshaped({channels});
  }

  QuantizedModel model_;
  const EncodingNotes& notes_;
  const std::vector<Node> nodes_;
  const GraphIndex index_;
  const Matcher matcher_;
  std::map<int, Node> folded_;  // by position of the last node of what they stand for
  std::map<std::tuple<ValueId, ValueId, ValueId, bool>, ValueId> weights_;
};

}  // namespace

QuantizedModel fold_dynamic(QuantizedModel model, const EncodingNotes& notes) {
  const std::vector<Node>& nodes = model.graph.nodes();
  const bool some = std::any_of(nodes.begin(), nodes.end(),
                                [](const Node& node) { return node.is("MatMulInteger") || node.is("ConvInteger"); });
  return some || !notes.products.empty() ? DynamicFolder(std::move(model), notes).fold() : std::move(model);
}

}  // namespace halftone
