#include "halftone/ptq/blocks/block.h"

#include <algorithm>
#include <set>

#include "halftone/ptq/rounding/clip_bounds.h"
#include "halftone/quant/assign.h"

namespace halftone::ptq {
namespace {

class Cutter {
 public:
  explicit Cutter(const Graph& graph) : graph_(graph), index_(graph) {}

  std::vector<Block> cut() {
    std::set<ValueId> alive;
    for (ValueId id : graph_.inputs()) {
      if (!constant(id)) alive.insert(id);
    }
    Block stretch;
    if (alive.size() == 1) stretch.input = name(*alive.begin());
    for (int i = 0; i < static_cast<int>(graph_.nodes().size()); ++i) {
      stretch.nodes.push_back(i);
      for (ValueId id : node(i).outputs) {
        if (id != ValueId::None) alive.insert(id);
      }
      std::erase_if(alive, [&](ValueId id) { return !needed_behind(id, i); });
      if (alive.size() != 1 || belongs_to_reader(*alive.begin())) continue;
      stretch.output = name(*alive.begin());
      take(std::move(stretch));
      stretch = {"", name(*alive.begin()), "", {}};
    }
    if (!stretch.nodes.empty()) take(std::move(stretch));
    put_away();
    return std::move(blocks_);
  }

 private:
  const Node& node(int i) const { return graph_.nodes()[static_cast<size_t>(i)]; }
  const std::string& name(ValueId id) const { return graph_.value(id).name; }
  bool constant(ValueId id) const { return graph_.value(id).constant && !index_.is_graph_input(id); }

  bool needed_behind(ValueId id, int position) const {
    if (index_.is_graph_output(id)) return true;
    const auto& readers = index_.consumers(id);
    return !constant(id) && std::any_of(readers.begin(), readers.end(), [&](int reader) { return reader > position; });
  }

  bool belongs_to_reader(ValueId id) const {
    const int reader = index_.sole_consumer(id);
    return reader >= 0 && (node(reader).is("Relu") || node(reader).is("Clip"));
  }

  bool is_layer(const Node& each) const {
    const bool gemm = each.is("Gemm") && each.float_or("alpha", 1) == 1 && each.int_or("transA", 0) == 0 &&
                      graph_.value(each.inputs[0]).type.ranked() && graph_.value(each.inputs[0]).type.rank() == 2;
    return (gemm || each.is("Conv") || each.is("ConvTranspose")) && each.inputs.size() > 1 &&
           constant(each.inputs[1]) && !constant(each.inputs[0]);
  }

  bool is_known(const Node& each) const {
    if (each.is("Relu") || each.is("Flatten") || each.is("Identity")) return !constant(each.inputs[0]);
    if (each.is("Clip")) return !constant(each.inputs[0]) && bounds_of_clip(graph_, each).has_value();
    if (!each.is("Add")) return is_layer(each);
    const auto shape = graph_.value(each.inputs[0]).type.fixed_shape();
    return !constant(each.inputs[0]) && !constant(each.inputs[1]) && shape.has_value() &&
           shape == graph_.value(each.inputs[1]).type.fixed_shape();
  }

  int layers_of(const Block& block) const {
    return static_cast<int>(
        std::count_if(block.nodes.begin(), block.nodes.end(), [&](int i) { return is_layer(node(i)); }));
  }

  // A stretch between two cuts.
  void take(Block stretch) {
    const auto all = [&](const auto& is) {
      return std::all_of(stretch.nodes.begin(), stretch.nodes.end(), [&](int i) { return is(node(i)); });
    };
    const bool whole = !stretch.input.empty() && !stretch.output.empty() && stretch.input != stretch.output &&
                       all([&](const Node& each) { return is_known(each); });
    if (!whole) {
      put_away();
      for (int i : stretch.nodes) {
        if (is_layer(node(i))) take_layer(i);
      }
      return;
    }
    const bool sums = !all([](const Node& each) { return !each.is("Add"); });
    if (sums || layers_of(pending_) + layers_of(stretch) > kBlockLayers) put_away();
    if (pending_.nodes.empty()) {
      pending_ = std::move(stretch);
    } else {
      pending_.output = std::move(stretch.output);
      pending_.nodes.insert(pending_.nodes.end(), stretch.nodes.begin(), stretch.nodes.end());
    }
    if (sums) put_away();
  }

  void put_away() {
    Block block = std::exchange(pending_, {});
    if (layers_of(block) == 0) return;
    for (int i : block.nodes) {
      if (is_layer(node(i))) block.name = layer_name(graph_, node(i));
    }
    blocks_.push_back(std::move(block));
  }

  void take_layer(int i) {
    Block block{layer_name(graph_, node(i)), name(node(i).inputs[0]), name(node(i).outputs[0]), {i}};
    const int reader = index_.sole_consumer(node(i).outputs[0]);
    if (reader >= 0 && (node(reader).is("Relu") || node(reader).is("Clip")) && is_known(node(reader))) {
      block.nodes.push_back(reader);
      block.output = name(node(reader).outputs[0]);
    }
    blocks_.push_back(std::move(block));
  }

  const Graph& graph_;
  const GraphIndex index_;
  Block pending_;
  std::vector<Block> blocks_;
};

}  // namespace

std::vector<Block> find_blocks(const Graph& graph) { return Cutter(graph).cut(); }

}  // namespace halftone::ptq
