#include "halftone/ptq/rounding/learn.h"

#include <algorithm>
#include <cmath>

#include "halftone/base/error.h"
#include "halftone/base/process.h"
#include "halftone/graph/op_table.h"
#include "halftone/ptq/rounding/clip_bounds.h"
#include "halftone/ptq/rounding/journal.h"
#include "halftone/ptq/run_fingerprint.h"
#include "halftone/ptq/staged_run.h"
#include "halftone/ptq/weighted_layers.h"
#include "halftone/quant/integer_plan.h"
#include "halftone/transform/rewrite.h"

namespace halftone::ptq {
namespace {

constexpr int64_t kLearnStagedBytes = int64_t{96} << 20;  // for each of the two networks

// Of all that the results depend on.
uint64_t fingerprint_of(const Workbench& bench, const std::vector<data::Batch>& batches, const LearnOptions& options) {
  const SolveOptions& solve = options.solve;
  return fingerprint_of(bench, batches,
                        fmt::format("{} {} {} {} {} {} {} {} {} {}", options.layers, options.rows, options.seed,
                                    options.residual, solve.method->name, solve.iterations, solve.damping,
                                    solve.search_scales, solve.refit_scales, solve.clip_passes));
}

class Learning {
 public:
  Learning(Workbench& bench, const LearnOptions& options)
      : bench_(bench),
        options_(options),
        batches_(bench.required_samples("round").kept(options.images)),
        rounded_(with_rounded_weights(bench.model)),
        model_run_(rounded_, batches_, *bench.team, kLearnStagedBytes),
        reference_run_(bench.reference, batches_, *bench.team, kLearnStagedBytes),
        plan_(plan_integers(bench.model)),
        typed_(bench.reference),
        journal_(bench.journal, bench.journal.empty() ? 0 : fingerprint_of(bench, batches_, options), *bench.progress) {
    std::map<std::string, Shape> shapes;
    for (const auto& [name, tensor] : batches_.front().inputs) shapes[name] = tensor.shape();
    infer_shapes(typed_, shapes);
    for (const data::Batch& batch : batches_) samples_ += static_cast<int64_t>(batch.ids.size());
  }

  void run() {
    const std::vector<WeightedLayer> layers = weighted_layers(bench_.model, options_.layers);
    bench_.progress->begin("rounding", static_cast<int64_t>(layers.size()), "layers");
    int64_t done = 0;
    for (const WeightedLayer& layer : layers) {
      const std::string refusal = refuse(layer);
      if (refusal.empty()) {
        round(layer);
      } else {
        bench_.progress->note(fmt::format("'{}' is rounded to nearest: {}", layer.name, refusal));
      }
      release_freed_memory();
      bench_.progress->advance(++done);
    }
    bench_.progress->end();
  }

 private:
  const Node& node_of(const WeightedLayer& layer) const {
    return bench_.model.graph.nodes()[static_cast<size_t>(layer.node)];
  }

  // Why the layer can't be rounded here; empty where it can.
  std::string refuse(const WeightedLayer& layer) const {
    const Graph& graph = bench_.model.graph;
    const Node& node = node_of(layer);
    const Tensor& weights = *graph.value(node.inputs[1]).constant;
    const QuantParams& params = bench_.model.encodings.at(layer.weights).params;
    const LayerShape shape = layer_shape(layer.layout);
    if (weights.dtype() != DType::Float) return "its weights are not float32";
    if (!params.levels.empty()) return "the grid of its weights is not affine";
    if (GraphIndex(graph).consumers(node.inputs[1]).size() != 1)
      return "its weights are those of another layer as well";
    const transform::KeepNames keep;
    if (!transform::bias_of(transform::RewriteIndex(graph, keep), node, shape.groups * shape.channels)) {
      return "its bias is not constant";
    }
    if (node.is("Gemm") && (node.float_or("alpha", 1) != 1 || node.int_or("transA", 0) != 0)) {
      return "alpha and transA of a Gemm are not understood";
    }
    if (shape.features > kMostFeatures) {
      return fmt::format("{} inputs to an output are more than {}", shape.features, kMostFeatures);
    }
    const ValueId target = bench_.reference.find(layer.output);
    if (target == ValueId::None || bench_.reference.find(graph.value(node.inputs[0]).name) == ValueId::None) {
      return "the float network has no such layer";
    }
    return "";
  }

  void round(const WeightedLayer& layer) {
    model_run_.finish(layer.node - 1);
    reference_run_.finish(layer.node - 1);
    const LayerShape shape = layer_shape(layer.layout);
    if (const Journal::Entry* known = journal_.find(layer.name); known != nullptr && take(layer, *known)) return;
    const Graph& graph = bench_.model.graph;
    const transform::KeepNames keep;
    const transform::RewriteIndex index(graph, keep);
    const Sum sum = sum_with(graph, index, layer);
    LayerRows rows = read_rows(layer, shape, sum.other);
    if (rows.count == 0) return;

    const std::vector<double> bias = *transform::bias_of(index, node_of(layer), shape.groups * shape.channels);
    const ClipBounds clip = clip_bounds_behind(graph, index, *sum.last);
    const bool free_bias = !node_of(layer).is("MatMul");
    const Tensor weights = *graph.value(graph.find(layer.weights)).constant;
    const Encoding before = bench_.model.encodings.at(layer.weights);
    SolveOptions solve = options_.solve;
    for (;;) {
      const LayerSolution solution = solve_layer(shape, std::move(rows), weights, before.params, before.spec, free_bias,
                                                 bias, clip.low, clip.high, solve, *bench_.team);
      bench_.model.encodings.at(layer.weights).params = solution.params;
      apply(bench_.model.graph, layer, solution, free_bias);
      if (still_integer(layer) || !solve.refit_scales) {
        apply(rounded_, layer, solution, free_bias);
        const std::span<const float> values = solution.weights.data<float>();
        journal_.add(layer.name, {{values.begin(), values.end()}, solution.params.scale, solution.bias});
        return;
      }
      solve.search_scales = solve.refit_scales = false;
      rows = read_rows(layer, shape, sum.other);
    }
  }

  // A result of an earlier run.
  bool take(const WeightedLayer& layer, const Journal::Entry& entry) {
    Graph& graph = bench_.model.graph;
    QuantParams& params = bench_.model.encodings.at(layer.weights).params;
    LayerSolution solution;
    const Shape& shape = graph.value(graph.find(layer.weights)).constant->shape();
    if (element_count(shape) != static_cast<int64_t>(entry.weights.size()) ||
        entry.scale.size() != params.scale.size() ||
        static_cast<int64_t>(entry.bias.size()) != layer.layout.outputs()) {
      return false;
    }
    solution.weights = Tensor::from(shape, entry.weights);
    solution.bias = entry.bias;
    params.scale = entry.scale;
    const bool free_bias = !node_of(layer).is("MatMul");
    apply(graph, layer, solution, free_bias);
    apply(rounded_, layer, solution, free_bias);
    return true;
  }

  struct Sum {
    std::string other;  // what the layer's result is added to; empty: nothing
    const Node* last;   // the addition, or the layer itself
  };
  // An addition that alone reads the layer's result, and whose other operand the layer can't change.
  Sum sum_with(const Graph& graph, const GraphIndex& index, const WeightedLayer& layer) const {
    const Node& node = node_of(layer);
    const int reader = options_.residual ? index.sole_consumer(node.output(0)) : -1;
    if (reader < 0) return {"", &node};
    const Node& sum = graph.nodes()[static_cast<size_t>(reader)];
    if (!sum.is("Add")) return {"", &node};
    const ValueId other = sum.inputs[sum.inputs[0] == node.output(0) ? 1 : 0];
    const Value& value = graph.value(other);
    if (index.producer(other) >= layer.node || value.constant || bench_.reference.find(value.name) == ValueId::None ||
        !same_shape(layer.output, value.name)) {
      return {"", &node};
    }
    return {value.name, &sum};
  }

  // Known to be, for the first batch's shapes.
  bool same_shape(const std::string& a, const std::string& b) const {
    const auto shape_of = [&](const std::string& name) { return typed_.value(typed_.find(name)).type.fixed_shape(); };
    return shape_of(a).has_value() && shape_of(a) == shape_of(b);
  }

  static void apply(Graph& graph, const WeightedLayer& layer, const LayerSolution& solution, bool free_bias) {
    graph.value(graph.find(layer.weights)).constant = solution.weights;
    if (!free_bias) return;
    transform::set_bias(graph, GraphIndex(graph), graph.nodes()[static_cast<size_t>(layer.node)], solution.bias);
  }

  // Whether the integer arithmetic takes the layer as it did before.
  bool still_integer(const WeightedLayer& layer) const {
    const auto node = static_cast<size_t>(layer.node);
    return !plan_.nodes[node] || plan_integers(bench_.model).nodes[node].has_value();
  }

  // `other`: see Sum.
  LayerRows read_rows(const WeightedLayer& layer, const LayerShape& shape, const std::string& other) {
    const int64_t inputs = shape.groups * shape.features, targets = shape.groups * shape.channels;
    // The solver changes the targets and keeps the float ones as well.
    const int64_t numbers = inputs + (other.empty() ? 2 : 3) * targets;
    const int64_t most = std::min(options_.rows, kRowBytes / static_cast<int64_t>(sizeof(float)) / numbers);
    const int64_t per_sample = std::max<int64_t>(1, most / samples_);
    // Every batch has room for its share; what it leaves over is closed up in the end.
    std::vector<int64_t> first(batches_.size() + 1, 0), found(batches_.size(), 0);
    for (size_t b = 0; b < batches_.size(); ++b) {
      first[b + 1] = first[b] + per_sample * static_cast<int64_t>(batches_[b].ids.size());
    }
    LayerRows rows;
    rows.inputs.resize(static_cast<size_t>(first.back() * inputs));
    rows.targets.resize(static_cast<size_t>(first.back() * targets));
    const Node& node = node_of(layer);
    const std::string input = rounded_.value(node.inputs[0]).name;
    std::vector<std::optional<RowReader>> readers(batches_.size());
    std::vector<std::vector<int64_t>> chosen(batches_.size());
    std::vector<std::string> names = {input};
    if (!other.empty()) {
      rows.others.resize(rows.targets.size());
      names.push_back(other);
    }
    const auto read_results = [&](size_t b, const Tensor& y, std::vector<float>& to) {
      readers[b]->check_targets(y.shape());
      float* row = to.data() + first[b] * targets;
      for (const int64_t position : chosen[b]) {
        readers[b]->read_targets(y.data<float>().data(), position, row);
        row += targets;
      }
    };
    model_run_.compute(names, [&](size_t b, const TensorMap& values) {
      const Tensor& x = values.at(input);
      readers[b].emplace(rounded_, node, shape, x.shape());
      chosen[b] = choose_positions(readers[b]->positions(), first[b + 1] - first[b], options_.seed, b);
      found[b] = static_cast<int64_t>(chosen[b].size());
      float* row = rows.inputs.data() + first[b] * inputs;
      for (const int64_t position : chosen[b]) {
        readers[b]->read_inputs(x.data<float>().data(), position, row);
        row += inputs;
      }
      if (!other.empty()) read_results(b, values.at(other), rows.others);
    });
    names.front() = layer.output;
    reference_run_.compute(names, [&](size_t b, const TensorMap& values) {
      read_results(b, values.at(layer.output), rows.targets);
      if (other.empty()) return;
      std::vector<float> addend(static_cast<size_t>(targets));
      float* row = rows.targets.data() + first[b] * targets;
      for (const int64_t position : chosen[b]) {
        readers[b]->read_targets(values.at(other).data<float>().data(), position, addend.data());
        for (const float v : addend) *row++ += v;
      }
    });
    for (size_t b = 0; b < batches_.size(); ++b) {
      const auto close_up = [&](std::vector<float>& all, int64_t width) {
        std::copy_n(all.begin() + first[b] * width, found[b] * width, all.begin() + rows.count * width);
      };
      if (rows.count < first[b]) {
        close_up(rows.inputs, inputs);
        close_up(rows.targets, targets);
        if (!other.empty()) close_up(rows.others, targets);
      }
      rows.count += found[b];
    }
    rows.inputs.resize(static_cast<size_t>(rows.count * inputs));
    rows.targets.resize(static_cast<size_t>(rows.count * targets));
    if (!other.empty()) rows.others.resize(rows.targets.size());
    return rows;
  }

  Workbench& bench_;
  const LearnOptions& options_;
  std::vector<data::Batch> batches_;
  Graph rounded_;  // the model's network as far as it is rounded, nearest behind
  StagedRun model_run_, reference_run_;
  const IntegerPlan plan_;
  Graph typed_;
  Journal journal_;
  int64_t samples_ = 0;
};

}  // namespace

void learn_rounding(Workbench& bench, const LearnOptions& options) { Learning(bench, options).run(); }

}  // namespace halftone::ptq
