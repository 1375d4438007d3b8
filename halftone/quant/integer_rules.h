// What the rules of integer_ops.def work with. Internal to the planner.
#pragma once

#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "halftone/quant/integer_plan.h"

namespace halftone::integer_rules {

// Sums of products are int32.
constexpr int64_t kLargestSum = std::numeric_limits<int32_t>::max();

// One node under examination. Accessors that find something missing record the reason and return nothing; a rule then
// returns false.
class NodeContext {
 public:
  // `graph` is the model's graph with inferred types; node positions and value ids are the same.
  NodeContext(const QuantizedModel& model, const Graph& graph, const GraphIndex& index, int position,
              RequantizeMode mode);

  const Graph& graph() const { return graph_; }
  const Node& node() const { return graph_.nodes()[static_cast<size_t>(plan.node)]; }
  RequantizeMode mode() const { return mode_; }
  const std::string& reason() const { return reason_; }

  // Records why the node stays float; returns false.
  template <typename... Args>
  bool refuse(fmt::format_string<Args...> format, Args&&... args) {
    reason_ = fmt::format(format, std::forward<Args>(args)...);
    return false;
  }

  // The content of an input that never changes: an initializer or a Constant node; nullptr otherwise.
  const Tensor* constant(size_t input) const { return constant_of(node().input(input)); }
  const Tensor* constant_of(ValueId id) const;
  const Encoding* encoding(ValueId id) const { return find_encoding(model_, id); }
  std::optional<DynamicRange> dynamic() const { return find_dynamic(model_, node()); }
  // The value's shape where every dimension is known.
  std::optional<Shape> shape(ValueId id) const { return graph_.value(id).type.fixed_shape(); }
  // The value's rank, or -1.
  int64_t rank(ValueId id) const;

  // Reads input i as codes. Refuses without a per-tensor encoding of at most 16 bits.
  bool read_codes(size_t input);
  const Grid& grid(size_t input) const { return *plan.inputs[input]; }
  // Takes input i as constant weights with an encoding per tensor or along `channel_axis`.
  bool read_weights(size_t input, int64_t channel_axis);
  // The weights' scale for slice i of their channel axis.
  double weight_scale(int64_t i) const {
    return weight_scales_[weight_scales_.size() == 1 ? 0 : static_cast<size_t>(i)];
  }

  // Finds where the results go: the node's own output, or that of an activation which can be absorbed. With
  // `may_be_real`, a result without any grid is fine.
  bool find_output(bool may_be_real = false);
  // Every output that somebody may read has an encoding of its own.
  bool find_outputs();

  // float32(a * b / c) onto the list of output 0. Refuses what is no normal positive number.
  bool add_multiplier(double a, double b, double c, size_t output = 0);

  // The grid of an encoding, if a sum can be made of its codes. Refuses otherwise, naming `what`.
  std::optional<Grid> activation_grid(const Encoding& encoding, std::string_view what);

  // The bounds in codes of `grid` that a Relu or Clip stands for; nullopt when they aren't constant or exclude all.
  std::optional<std::pair<int32_t, int32_t>> activation_bounds(const Node& activation, const Grid& grid) const;

  IntegerNode plan;

 private:
  const QuantizedModel& model_;
  const Graph& graph_;
  const GraphIndex& index_;
  RequantizeMode mode_;
  std::string reason_;
  std::vector<double> weight_scales_;
};

// Sums |w - z_w| by output channel, of weights [groups, rows, channels, inner]: `channels` of each group. Groups have
// channels of their own, rows don't.
std::vector<int64_t> magnitudes(const IntegerNode& plan, int64_t channels, int64_t inner, int64_t groups = 1);

// True when `context.plan` is complete; false after a refusal.
using Rule = bool (*)(NodeContext&);

bool plan_dynamic(NodeContext& c);
bool plan_conv(NodeContext& c);
bool plan_conv_transpose(NodeContext& c);
bool plan_gemm(NodeContext& c);
bool plan_mat_mul(NodeContext& c);
bool plan_add(NodeContext& c);
bool plan_mul(NodeContext& c);
bool plan_activation(NodeContext& c);
bool plan_function(NodeContext& c);
bool plan_average_pool(NodeContext& c);
bool plan_global_average_pool(NodeContext& c);
bool plan_reduce_mean(NodeContext& c);
bool plan_move(NodeContext& c);
bool plan_dropout(NodeContext& c);
bool plan_resize(NodeContext& c);
bool plan_pad(NodeContext& c);
bool plan_concat(NodeContext& c);

}  // namespace halftone::integer_rules
