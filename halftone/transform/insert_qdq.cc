#include "halftone/transform/insert_qdq.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "halftone/quant/encoding_notes.h"
#include "halftone/quant/integer_plan.h"
#include "halftone/quant/short_scale.h"
#include "halftone/tensor/packing.h"
#include "halftone/transform/code_bounds.h"
#include "halftone/transform/insert_dynamic.h"
#include "halftone/transform/packed_codes.h"
#include "halftone/transform/packed_ops.h"
#include "halftone/transform/upgrade_opset.h"

namespace halftone {
namespace {

int64_t required_opset(const Encodings& encodings) {
  int64_t opset = 13;
  for (const auto& [name, encoding] : encodings) {
    const int bits = bits_of(file_type(encoding.params));
    if (needs_planes(encoding.params)) opset = std::max(opset, kPackedMinOpset);
    if (bits == 4 || bits == 16 || encoding.params.block_size > 0) opset = std::max<int64_t>(opset, 21);
  }
  return opset;
}

// The first IR version that knows the types of the operator set.
int64_t required_ir(int64_t opset) { return opset >= 21 ? 10 : 7; }

class Inserter {
 public:
  explicit Inserter(const QuantizedModel& model)
      : model_(model), graph_(upgrade_opset(model.graph, required_opset(model.encodings))), index_(graph_) {
    plan_ = plan_integers({graph_, model.encodings, {}, model.dynamic});
    graph_.ir_version = std::max(graph_.ir_version, required_ir(graph_.opset()));
    for (const Node& node : graph_.nodes())
      captured_.insert(captured_.end(), node.captures.begin(), node.captures.end());
  }

  Graph insert() {
    quantize_biases();
    std::vector<Node> old = std::move(graph_.nodes());
    graph_.nodes().clear();
    for (const auto& [name, encoding] : model_.encodings) {
      const ValueId id = graph_.find(name);
      if (id != ValueId::None && is_constant(id) && !only_dynamic(id)) quantize_constant(id, encoding.params);
    }
    for (Bias& bias : biases_) dequantize_constant(bias.id, std::move(bias.codes), bias.params);
    for (ValueId id : graph_.inputs()) {
      if (const Encoding* encoding = find(id)) quantize_input(id, encoding->params);
    }
    for (size_t i = 0; i < old.size(); ++i) place(std::move(old[i]), plan_.nodes[i] ? &*plan_.nodes[i] : nullptr);
    if (split_biases_ || !model_.dynamic.empty()) graph_.remove_dead();
    update_packed_functions(graph_);
    graph_.metadata[std::string(kEncodingNotesKey)] = to_json(make_notes(model_));
    return std::move(graph_);
  }

 private:
  const Encoding* find(ValueId id) const {
    if (id == ValueId::None) return nullptr;
    const auto found = model_.encodings.find(graph_.value(id).name);
    return found == model_.encodings.end() ? nullptr : &found->second;
  }
  bool is_dynamic(size_t position) const { return plan_.nodes[position] && plan_.nodes[position]->dynamic; }
  // Weights that nobody reads as real numbers.
  bool only_dynamic(ValueId id) const {
    const std::vector<int>& readers = index_.consumers(id);
    return !readers.empty() && !keeps_name(id) && std::all_of(readers.begin(), readers.end(), [&](int reader) {
      return is_dynamic(static_cast<size_t>(reader));
    });
  }
  bool is_constant(ValueId id) const { return graph_.value(id).constant.has_value() && !index_.is_graph_input(id); }
  bool keeps_name(ValueId id) const {
    return index_.is_graph_output(id) || std::find(captured_.begin(), captured_.end(), id) != captured_.end();
  }
  ValueId derived(ValueId id, std::string_view suffix) {
    return graph_.add_value(graph_.fresh_name(graph_.value(id).name + std::string(suffix)));
  }

  // Scale and, where it is needed, zero point: what both operators read after their operand. Blocks have the tensor's
  // rank.
  std::vector<ValueId> add_params(const std::string& stem, const QuantParams& params, const Shape& shape,
                                  bool is_constant) {
    Shape dims;
    if (!params.per_tensor()) {
      dims = {static_cast<int64_t>(params.scale.size())};
      if (params.block_size > 0) {
        dims = shape;
        int64_t& dim = dims[static_cast<size_t>(params.axis)];
        dim = (dim + params.block_size - 1) / params.block_size;
      }
    }
    std::vector<ValueId> ids = {
        graph_.add_constant(graph_.fresh_name(stem + "_scale"), Tensor::from(dims, params.scale))};
    // The operator's default is 0. Some runtimes want no zero point with int32; with planes every byte counts.
    const bool all_zero =
        std::all_of(params.zero_point.begin(), params.zero_point.end(), [](int32_t zero) { return zero == 0; });
    if (params.dtype != DType::Int32 && !(all_zero && is_constant && needs_planes(params))) {
      ids.push_back(graph_.add_constant(graph_.fresh_name(stem + "_zero_point"),
                                        pack_integers(file_type(params), dims, params.zero_point)));
    }
    return ids;
  }

  static Node make_node(std::string_view op, std::string name, ValueId operand, const std::vector<ValueId>& others,
                        ValueId output, const QuantParams& params) {
    Node node;
    node.op_type = op;
    node.name = std::move(name);
    node.inputs = {operand};
    node.inputs.insert(node.inputs.end(), others.begin(), others.end());
    node.outputs = {output};
    if (!params.per_tensor()) node.set_attribute("axis", params.axis);
    if (params.block_size > 0) node.set_attribute("block_size", params.block_size);
    return node;
  }

  void set_type(ValueId id, DType dtype, ValueId like) {
    graph_.value(id).type = {dtype, graph_.value(like).type.shape};
  }

  // Codes and a DequantizeLinear in place of a constant; its value keeps its name.
  void dequantize_constant(ValueId id, Tensor codes, const QuantParams& params) {
    const std::string name = graph_.value(id).name;
    graph_.value(id).constant.reset();
    if (!params.levels.empty()) return dequantize_levels(id, codes, params);
    const std::vector<ValueId> grid = add_params(name, params, codes.shape(), true);
    const ValueId quantized = needs_planes(params)
                                  ? write_planes(graph_, name, codes, params)
                                  : graph_.add_constant(graph_.fresh_name(name + "_quantized"), std::move(codes));
    graph_.nodes().push_back(make_node("DequantizeLinear", name + "_DequantizeLinear", quantized, grid, id, params));
  }

  void dequantize_levels(ValueId id, const Tensor& codes, const QuantParams& params) {
    const std::string name = graph_.value(id).name;
    if (params.block_size > 0) {
      fail(ErrorCode::Unsupported, "constant '" + name + "'", "levels with scales by block can't be written to a file");
    }
    const auto constant = [&](const char* suffix, Tensor content) {
      return graph_.add_constant(graph_.fresh_name(name + suffix), std::move(content));
    };
    const auto scales = static_cast<int64_t>(params.scale.size()), count = params.q_max + 1;
    const bool by_channel = static_cast<int64_t>(params.levels.size()) > count;
    Node node;
    node.op_type = kDequantizeLevels;
    node.domain = kPackedDomain;
    node.name = name + "_DequantizeLevels";
    node.inputs = {write_planes(graph_, name, codes, params),
                   constant("_scale", Tensor::from(params.per_tensor() ? Shape{} : Shape{scales}, params.scale)),
                   constant("_levels", Tensor::from(by_channel ? Shape{scales, count} : Shape{count}, params.levels)),
                   constant("_axis", Tensor::scalar<int64_t>(std::max<int64_t>(params.axis, 0)))};
    node.outputs = {id};
    graph_.nodes().push_back(std::move(node));
  }

  void quantize_constant(ValueId id, const QuantParams& params) {
    const Tensor constant = *graph_.value(id).constant;
    check_params(params, constant.shape(), "constant '" + graph_.value(id).name + "'");
    // Equal levels have several codes; what is on the grid already gets the one that it would have after a trip.
    const bool by_levels = !params.levels.empty();
    dequantize_constant(id, quantize(by_levels ? fake_quantize(constant, params) : constant, params), params);
  }

  // QuantizeLinear and DequantizeLinear from `real` to `rounded`; new values are named after `stem`, the nodes after
  // `node_stem`.
  void add_pair(ValueId real, ValueId rounded, const std::string& stem, const std::string& node_stem,
                const QuantParams& params, bool by_channel_before = false) {
    const std::optional<Shape> shape = graph_.value(real).type.fixed_shape();
    if (!params.per_tensor() && params.block_size > 0 && !shape) {
      fail(ErrorCode::Unsupported, "value '" + stem + "'", "blocks require a known shape, found {}",
           to_string(graph_.value(real).type));
    }
    const DType type = file_type(params);
    const auto [low, high] = range_of(type);
    // Results of nodes that read or write grids by channel get bounds in any case, and no Clip: ONNX Runtime merges
    // what stands between DequantizeLinear and QuantizeLinear into operators on codes that take one scale only, and
    // then refuses the file or (Concat, Where) computes something else.
    const bool by_channel = has_channels(params) || by_channel_before;
    if (params.q_min != low || params.q_max != high || by_channel) {
      real = write_bounds(graph_, real, stem, node_stem, params, by_channel);
    }
    grids_[rounded] = add_params(stem, params, shape.value_or(Shape{}), false);
    add_nodes(real, rounded, stem, node_stem, grids_[rounded], params);
  }

  void add_nodes(ValueId real, ValueId rounded, const std::string& stem, const std::string& node_stem,
                 const std::vector<ValueId>& grid, const QuantParams& params) {
    const ValueId codes = graph_.add_value(graph_.fresh_name(stem + "_quantized"));
    set_type(codes, file_type(params), real);
    set_type(rounded, DType::Float, real);
    graph_.nodes().push_back(make_node("QuantizeLinear", node_stem + "_QuantizeLinear", real, grid, codes, params));
    graph_.nodes().push_back(
        make_node("DequantizeLinear", node_stem + "_DequantizeLinear", codes, grid, rounded, params));
  }

  static bool has_channels(const QuantParams& params) { return !params.per_tensor() && params.block_size == 0; }

  // Whether the node reads activations on grids by channel; a Relu or Clip stands for the node in front of it as well.
  bool reads_channels(const Node& node, const std::vector<ValueId>& operands) const {
    const bool may_be_absorbed = node.is("Relu") || node.is("Clip");
    return std::any_of(operands.begin(), operands.end(), [&](ValueId id) {
      const Encoding* encoding = find(id);
      if (encoding == nullptr) return may_be_absorbed && behind_channels_.contains(id);
      const bool is_activation = index_.producer(id) >= 0 || index_.is_graph_input(id);
      return is_activation && has_channels(encoding->params);
    });
  }

  // OpenVINO leaves out the rounding of a convolution's result in front of an Add unless it is there twice. That is
  // worth two nodes where it computes the same codes otherwise, which is what short scales are for.
  void repeat_operands(Node& add, const std::vector<ValueId>& operands, const IntegerNode& plan) {
    for (size_t i = 0; i < plan.inputs.size(); ++i) {
      const ValueId operand = operands[i];
      const auto rounded = read_instead_.find(operand);
      if (!plan.inputs[i] || index_.producer(operand) < 0 || index_.sole_consumer(operand) < 0) continue;
      if (rounded == read_instead_.end() || !is_short_scale(plan.inputs[i]->scale)) continue;
      const std::string stem = graph_.value(operand).name + "_repeated";
      const ValueId again = graph_.add_value(graph_.fresh_name(stem));
      add_nodes(rounded->second, again, stem, stem, grids_.at(rounded->second), find(operand)->params);
      add.inputs[i] = again;
    }
  }

  void quantize_input(ValueId id, const QuantParams& params) {
    if (keeps_name(id)) {
      fail(ErrorCode::Unsupported, "input '" + graph_.value(id).name + "'",
           "an input with an encoding must be neither an output nor read by a subgraph");
    }
    const ValueId rounded = derived(id, "_dequantized");
    const std::string name = graph_.value(id).name;
    add_pair(id, rounded, name, name, params);
    read_instead_[id] = rounded;
  }

  void place(Node node, const IntegerNode* plan) {
    const std::vector<ValueId> operands = node.inputs;
    for (ValueId& id : node.inputs) {
      const auto found = read_instead_.find(id);
      if (found != read_instead_.end()) id = found->second;
    }
    const Encoding* regridded = node.is("Identity") ? find(node.output(0)) : nullptr;
    const Encoding* before = regridded != nullptr ? find(operands[0]) : nullptr;
    if (before != nullptr && before->params != regridded->params) {
      const std::string name = graph_.value(node.outputs[0]).name;
      add_pair(node.inputs[0], node.outputs[0], name, node.name.empty() ? name : node.name, regridded->params);
      return;
    }
    if (node.is("Add") && plan != nullptr) repeat_operands(node, operands, *plan);
    const bool by_channel = reads_channels(node, operands);
    if (by_channel) behind_channels_.insert(node.outputs.begin(), node.outputs.end());
    struct Rounded {
      ValueId named, real, rounded;
    };
    std::vector<Rounded> pairs;
    for (ValueId& id : node.outputs) {
      if (find(id) == nullptr) continue;
      if (keeps_name(id)) {
        pairs.push_back({id, derived(id, "_unquantized"), id});
        set_type(pairs.back().real, DType::Float, id);
        id = pairs.back().real;
      } else {
        pairs.push_back({id, id, derived(id, "_dequantized")});
        read_instead_[id] = pairs.back().rounded;
      }
    }
    if (plan != nullptr && plan->dynamic) {
      const Encoding* weights = plan->weights.defined() ? find(node.input(1)) : nullptr;
      dynamic_.write(node, *plan, weights == nullptr ? nullptr : &weights->params);
    } else {
      graph_.nodes().push_back(std::move(node));
    }
    for (const Rounded& pair : pairs) {
      const std::string name = graph_.value(pair.named).name;
      add_pair(pair.real, pair.rounded, name, name, find(pair.named)->params, by_channel);
    }
  }

  // Biases of nodes that are computed in integers; one that several nodes read is split.
  void quantize_biases() {
    for (const std::optional<IntegerNode>& node : plan_.nodes) {
      if (!node || node->bias.empty()) continue;
      Node& reader = graph_.nodes()[static_cast<size_t>(node->node)];
      const ValueId id = reader.input(2);
      const Value& value = graph_.value(id);
      // A scalar for many channels, or one that another node makes, stays float.
      if (!value.constant || index_.is_graph_input(id) || find(id) != nullptr ||
          value.constant->size() != static_cast<int64_t>(node->bias.size())) {
        continue;
      }
      QuantParams params;
      params.dtype = DType::Int32;
      const double input_scale = node->inputs[0]->scale;
      const ValueId operand = reader.input(1);
      const std::vector<float>& weight_scale = find(operand)->params.scale;
      const size_t scales = weight_scale.size() == 1 ? 1 : node->bias.size();
      for (size_t i = 0; i < scales; ++i) {
        params.scale.push_back(make_multiplier(input_scale, weight_scale[i % weight_scale.size()], 1));
      }
      if (!std::all_of(params.scale.begin(), params.scale.end(), [](float s) { return std::isnormal(s); })) continue;
      params.zero_point.assign(scales, 0);
      if (weight_scale.size() > 1) params.axis = value.constant->rank() - 1;
      if (params.axis < 0 && weight_scale.size() > 1) continue;
      const Tensor codes = Tensor::from(value.constant->shape(), node->bias);
      if (index_.sole_consumer(id) < 0) {
        split_biases_ = true;
        const Tensor content = *value.constant;
        reader.inputs[2] = graph_.add_constant(graph_.fresh_name(value.name + "_" + reader.name), content);
      }
      biases_.push_back({reader.inputs[2], codes, params});
    }
  }

  struct Bias {
    ValueId id;
    Tensor codes;
    QuantParams params;
  };

  const QuantizedModel& model_;
  Graph graph_;
  const GraphIndex index_;
  DynamicWriter dynamic_{graph_};
  IntegerPlan plan_;
  std::vector<ValueId> captured_;
  std::map<ValueId, ValueId> read_instead_;
  std::map<ValueId, std::vector<ValueId>> grids_;  // scale and zero point, by the rounded value
  std::set<ValueId> behind_channels_;              // made by nodes that read grids by channel
  std::vector<Bias> biases_;
  bool split_biases_ = false;
};

}  // namespace

Graph insert_qdq(const QuantizedModel& model) { return Inserter(model).insert(); }

}  // namespace halftone
