#include "halftone/transform/fold_qdq.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "halftone/graph/op_table.h"
#include "halftone/quant/requantize.h"
#include "halftone/tensor/packing.h"
#include "halftone/transform/apply_notes.h"
#include "halftone/transform/expand_qlinear.h"
#include "halftone/transform/fold_dynamic.h"
#include "halftone/transform/packed_codes.h"
#include "halftone/transform/packed_ops.h"
#include "halftone/transform/qdq_params.h"

namespace halftone {
namespace {

// A QuantizeLinear all of whose readers are DequantizeLinear nodes on the same grid.
struct Pair {
  int quantize;
  std::vector<int> dequantize;
  QuantParams params;
};

class Folder {
 public:
  explicit Folder(QuantizedModel model)
      : model_(std::move(model)), index_(model_.graph), packed_(read_planes(model_.graph, index_)) {
    for (const Node& node : graph().nodes()) captured_.insert(node.captures.begin(), node.captures.end());
    if (!packed_.empty()) infer_behind_planes();
  }

  QuantizedModel fold() {
    for (size_t i = 0; i < graph().nodes().size(); ++i) examine(static_cast<int>(i));
    if (pairs_.empty() && constants_.empty()) return std::move(model_);
    fold_constants();
    attach_pairs();
    rebuild();
    fold_biases();
    graph().remove_dead();
    if (!packed_.empty()) update_packed_functions(graph());
    return std::move(model_);
  }

 private:
  Graph& graph() { return model_.graph; }
  const Node& node_at(int position) { return graph().nodes()[static_cast<size_t>(position)]; }
  bool keeps_name(ValueId id) const { return index_.is_graph_output(id) || captured_.contains(id); }
  // The shape of what a QuantizeLinear reads, as far as its scales need it: along an axis they need to know no other
  // dimension, which then counts as 1.
  std::optional<Shape> shape_for_scales(const Node& node) {
    const TensorType& type = graph().value(node.input(0)).type;
    if (!type.ranked() || node.int_or("block_size", 0) != 0) return type.fixed_shape();
    const int64_t axis = node.int_or("axis", 1), positive = axis < 0 ? axis + type.rank() : axis;
    if (positive < 0 || positive >= type.rank() || !(*type.shape)[static_cast<size_t>(positive)].known()) {
      return type.fixed_shape();
    }
    Shape shape;
    for (const Dim& dim : *type.shape) shape.push_back(dim.known() ? dim.value : 1);
    return shape;
  }
  void leave(const Node& node, const std::string& reason) {
    model_.float_reasons[node.name.empty() ? graph().value(node.outputs[0]).name : node.name] = reason;
  }

  // Inference knows nothing of our own operators, so whatever reads their results has no shape yet.
  void infer_behind_planes() {
    for (const auto& [id, packed] : packed_) {
      const TensorType type = {packed.codes.dtype(), to_dims(packed.codes.shape())};
      graph().value(id).type = type;
      for (int reader : index_.consumers(id)) {
        const Node& node = node_at(reader);
        if (!is_packed_op(node, kDequantizeLevels) || node.output(0) == ValueId::None) continue;
        graph().value(node.outputs[0]).type = {DType::Float, type.shape};
      }
    }
    infer_shapes(graph());
  }

  void examine(int position) {
    const Node& node = node_at(position);
    // What is no such node at all is the verifier's business.
    if (node.input(0) == ValueId::None || node.output(0) == ValueId::None) return;
    if (qdq::is_quantize(node)) examine_pair(position);
    const bool by_levels = is_packed_op(node, kDequantizeLevels);
    if (!qdq::is_dequantize(node) && !by_levels) return;
    const auto packed = packed_.find(node.input(0));
    const bool in_planes = packed != packed_.end();
    const Tensor* codes = in_planes ? &packed->second.codes : qdq::fixed_constant(graph(), index_, node.input(0));
    if (codes == nullptr) {
      const int producer = index_.producer(node.input(0));
      if (producer < 0 || !qdq::is_quantize(node_at(producer))) leave(node, "its codes are computed by the network");
      return;
    }
    qdq::Parsed parsed = by_levels ? qdq::parse_levels(graph(), index_, node, *codes)
                                   : qdq::parse_params(graph(), index_, node, codes->dtype(), codes->shape());
    if (!parsed.params) return leave(node, parsed.reason);
    if (in_planes && !by_levels) parsed.params = with_planes(std::move(*parsed.params), packed->second);
    constants_.emplace(position, Constant{*codes, std::move(*parsed.params)});
  }

  void examine_pair(int position) {
    const Node& node = node_at(position);
    const ValueId codes = node.output(0);
    const DType real = graph().value(node.input(0)).type.dtype;
    if (real != DType::Undefined && real != DType::Float) {
      return leave(node, fmt::format("it quantizes {}", name_of(real)));
    }
    if (keeps_name(codes)) return leave(node, "its codes are an output or read by a subgraph");
    const std::optional<Shape> shape = shape_for_scales(node);
    const qdq::Parsed parsed = qdq::parse_params(graph(), index_, node, DType::Undefined, shape);
    if (!parsed.params) return leave(node, parsed.reason);
    if (bits_of(parsed.params->dtype) > 16) return leave(node, "its codes have more than 16 bits");
    Pair pair{position, index_.consumers(codes), *parsed.params};
    if (pair.dequantize.empty()) return leave(node, "nobody reads its codes");
    for (int reader : pair.dequantize) {
      const Node& dequantize = node_at(reader);
      if (!qdq::is_dequantize(dequantize) || dequantize.input(0) != codes || dequantize.output(0) == ValueId::None) {
        return leave(node, fmt::format("{} reads its codes", describe(graph(), dequantize)));
      }
      const qdq::Parsed other = qdq::parse_params(graph(), index_, dequantize, pair.params.dtype, shape);
      if (!other.params) return leave(node, "of its DequantizeLinear: " + other.reason);
      if (*other.params != pair.params) return leave(node, "its DequantizeLinear is on another grid");
    }
    pairs_.push_back(std::move(pair));
  }

  // Codes become float constants under the name of the DequantizeLinear's output.
  void fold_constants() {
    for (const auto& [position, constant] : constants_) {
      const auto& [codes, params] = constant;
      dropped_.insert(position);
      const ValueId id = node_at(position).output(0);
      if (bits_of(params.dtype) > 16) {
        biases_.push_back({id, codes, params});
        continue;
      }
      set_constant(id, dequantize(codes, params));
      model_.encodings[graph().value(id).name] = {params, qdq::spec_of(params)};
    }
  }

  void set_constant(ValueId id, Tensor tensor) {
    Value& value = graph().value(id);
    value.type = {DType::Float, to_dims(tensor.shape())};
    value.constant = std::move(tensor);
  }

  // Decides for every pair whether its value takes the encoding, or an Identity does.
  void attach_pairs() {
    std::map<ValueId, std::vector<const Pair*>> by_value;
    for (const Pair& pair : pairs_) {
      if (!drop_repetition(pair)) by_value[node_at(pair.quantize).input(0)].push_back(&pair);
    }
    for (const auto& entry : by_value) {
      const ValueId real = entry.first;
      const std::vector<const Pair*>& pairs = entry.second;
      const bool alone = index_.consumers(real).size() == pairs.size() && !keeps_name(real);
      const bool equal =
          std::all_of(pairs.begin(), pairs.end(), [&](const Pair* p) { return p->params == pairs[0]->params; });
      const int producer = index_.producer(real);
      // A value that is a DequantizeLinear's output is rounded already, whoever made it.
      const bool rounded = producer >= 0 && qdq::is_dequantize(node_at(producer));
      bool attach = alone && equal && !rounded;
      ValueId survivor = real;
      for (const Pair* pair : pairs) {
        for (int reader : pair->dequantize) {
          const ValueId output = node_at(reader).output(0);
          if (!keeps_name(output)) continue;
          // One name can survive, and only where a node can be told to write it.
          attach = attach && survivor == real && producer >= 0;
          survivor = output;
        }
      }
      for (const Pair* pair : pairs) {
        dropped_.insert(pair->quantize);
        for (int reader : pair->dequantize) {
          if (attach) {
            dropped_.insert(reader);
            alias_[node_at(reader).output(0)] = survivor;
          } else {
            regridded_[reader] = pair;
          }
        }
      }
      if (!attach) continue;
      if (survivor != real) renamed_[real] = survivor;
      model_.encodings[graph().value(survivor).name] = {pairs[0]->params, qdq::spec_of(pairs[0]->params)};
    }
  }

  // Whether the pair rounds once more to the grid of what it reads, which changes nothing; if nobody needs its names,
  // it goes.
  bool drop_repetition(const Pair& pair) {
    const ValueId rounded = node_at(pair.quantize).input(0);
    const Pair* first = pair_behind(rounded);
    const bool needed = std::any_of(pair.dequantize.begin(), pair.dequantize.end(),
                                    [&](int reader) { return keeps_name(node_at(reader).output(0)); });
    if (first == nullptr || first->params != pair.params || needed) return false;
    dropped_.insert(pair.quantize);
    for (int reader : pair.dequantize) {
      dropped_.insert(reader);
      alias_[node_at(reader).output(0)] = rounded;
    }
    return true;
  }

  // The pair whose DequantizeLinear makes the value.
  const Pair* pair_behind(ValueId rounded) {
    const int producer = index_.producer(rounded);
    if (producer < 0 || !qdq::is_dequantize(node_at(producer))) return nullptr;
    const int quantize = index_.producer(node_at(producer).input(0));
    const auto found = std::lower_bound(pairs_.begin(), pairs_.end(), quantize,
                                        [](const Pair& pair, int position) { return pair.quantize < position; });
    return found == pairs_.end() || found->quantize != quantize ? nullptr : &*found;
  }

  void rebuild() {
    std::vector<Node> nodes;
    const std::vector<Node> old = std::move(graph().nodes());
    for (size_t i = 0; i < old.size(); ++i) {
      const int position = static_cast<int>(i);
      if (dropped_.contains(position)) continue;
      Node node = old[i];
      const auto regridded = regridded_.find(position);
      if (regridded != regridded_.end())
        node = identity(node, old[static_cast<size_t>(regridded->second->quantize)], *regridded->second);
      for (ValueId& id : node.inputs) id = read_instead(id);
      for (ValueId& id : node.outputs) id = resolve(renamed_, id);
      nodes.push_back(std::move(node));
    }
    graph().nodes() = std::move(nodes);
  }

  static ValueId resolve(const std::map<ValueId, ValueId>& map, ValueId id) {
    const auto found = map.find(id);
    return found == map.end() ? id : found->second;
  }

  // Repetitions lead from value to value; the way is remembered, so that long chains cost what short ones do.
  ValueId read_instead(ValueId id) {
    const auto next = [&](ValueId from) { return resolve(alias_, from); };
    ValueId last = id;
    while (next(last) != last) last = next(last);
    while (id != last) {
      const ValueId after = next(id);
      alias_[id] = last;
      id = after;
    }
    return last;
  }

  // What rounds a value for some of its readers only, or once more.
  Node identity(const Node& dequantize, const Node& quantize, const Pair& pair) {
    Node node;
    node.op_type = "Identity";
    node.name = qdq::strip_suffix(dequantize.name, "_DequantizeLinear");
    node.inputs = {quantize.inputs[0]};
    node.outputs = dequantize.outputs;
    model_.encodings[graph().value(node.outputs[0]).name] = {pair.params, qdq::spec_of(pair.params)};
    return node;
  }

  struct Bias {
    ValueId id;
    Tensor codes;
    QuantParams params;
  };

  // Runs after everything else, because it needs the grids of the other operands.
  void fold_biases() {
    const GraphIndex index(graph());
    for (const Bias& bias : biases_) {
      const std::vector<double> scale = bias_scales(index, bias);
      Tensor real = dequantize(bias.codes, bias.params);
      const std::span<const int32_t> codes = bias.codes.data<int32_t>();
      const std::span<float> to = real.mutable_data<float>();
      for (size_t i = 0; i < to.size() && !scale.empty(); ++i) {
        to[i] = static_cast<float>(codes[i] * scale[scale.size() == 1 ? 0 : i]);
      }
      set_constant(bias.id, std::move(real));
    }
  }

  // s_x * s_w in double where the file's scales are its roundings to float32; else empty.
  std::vector<double> bias_scales(const GraphIndex& index, const Bias& bias) {
    if (index.consumers(bias.id).empty()) return {};
    const Node& reader = graph().nodes()[static_cast<size_t>(index.consumers(bias.id)[0])];
    const Encoding *x = find_encoding(model_, reader.input(0)), *w = find_encoding(model_, reader.input(1));
    const std::vector<float>& file = bias.params.scale;
    if (reader.input(2) != bias.id || x == nullptr || w == nullptr || !x->params.per_tensor()) return {};
    if (file.size() != 1 && file.size() != static_cast<size_t>(bias.codes.size())) return {};
    std::vector<double> scales;
    for (size_t i = 0; i < file.size(); ++i) {
      const double product = double{x->params.scale[0]} * double{w->params.scale[i % w->params.scale.size()]};
      if (static_cast<float>(product) != file[i]) return {};
      scales.push_back(product);
    }
    return scales;
  }

  struct Constant {
    Tensor codes;
    QuantParams params;
  };

  QuantizedModel model_;
  const GraphIndex index_;
  const std::map<ValueId, PackedCodes> packed_;
  std::set<ValueId> captured_;
  std::vector<Pair> pairs_;
  std::map<int, Constant> constants_;     // dequantized constants, by position
  std::set<int> dropped_;                 // positions of nodes that go
  std::map<int, const Pair*> regridded_;  // DequantizeLinear that becomes an Identity
  std::map<ValueId, ValueId> alias_;      // what to read instead
  std::map<ValueId, ValueId> renamed_;    // what to write instead
  std::vector<Bias> biases_;
};

}  // namespace

QuantizedModel fold_qdq(Graph graph) {
  const auto notes = graph.metadata.find(std::string(kEncodingNotesKey));
  std::optional<EncodingNotes> parsed;
  if (notes != graph.metadata.end()) {
    parsed = parse_notes(notes->second);
    graph.metadata.erase(notes);
  }
  QuantizedModel model;
  model.graph = expand_qlinear(std::move(graph), model.float_reasons);
  model = fold_dynamic(Folder(std::move(model)).fold(), parsed.value_or(EncodingNotes{}));
  if (parsed) apply_notes(model, *parsed);
  return model;
}

}  // namespace halftone
