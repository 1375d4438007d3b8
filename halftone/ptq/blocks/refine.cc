#include "halftone/ptq/blocks/refine.h"

#include <algorithm>
#include <numbers>
#include <numeric>
#include <optional>
#include <set>

#include "halftone/base/rng.h"
#include "halftone/graph/op_table.h"
#include "halftone/ptq/blocks/block_net.h"
#include "halftone/ptq/blocks/block_samples.h"
#include "halftone/ptq/blocks/soft_rounding.h"
#include "halftone/ptq/rounding/journal.h"
#include "halftone/ptq/rounding/rectified_sigmoid.h"
#include "halftone/ptq/run_fingerprint.h"
#include "halftone/quant/assign.h"
#include "halftone/quant/integer_plan.h"
#include "halftone/transform/rewrite.h"

namespace halftone::ptq {
namespace {

constexpr int64_t kRefineStagedBytes = int64_t{96} << 20;
constexpr int64_t kParts = 8;     // sums of slopes that are made side by side
constexpr int64_t kHeldBack = 4;  // one sample in so many
constexpr double kBiasRate = 0.002, kScaleRate = 0.002;
constexpr int kManyBits = 8;  // grids of so many bits are fine enough

// One block while it learns.
class Learner {
 public:
  Learner(const BlockNet& net, const BlockSamples& samples, std::vector<std::optional<SoftRounding>> weights,
          std::vector<bool> moves, const RefineOptions& options, uint64_t stream, ThreadTeam& team)
      : net_(net),
        samples_(samples),
        weights_(std::move(weights)),
        moves_(std::move(moves)),
        options_(options),
        stream_(stream),
        team_(team),
        hard_(net.parameters()),
        first_(hard_),
        scales_(moves_.size()) {
    for (int t = 0; t < team.size(); ++t) passes_.emplace_back(net);
    for (const auto& biases : hard_.biases) bias_moves_.emplace_back(biases.size());
    for (int64_t i = 0; i < samples.count; ++i) {
      (i % kHeldBack == kHeldBack - 1 ? held_back_ : learned_from_).push_back(i);
    }
    if (held_back_.empty()) held_back_ = learned_from_;
    bias_units_ = output_deviations();
  }

  // Whether the held-back samples agree that the result is better.
  bool learn() {
    const double before = error_of(first_, held_back_);
    const double unit = error_of(first_, learned_from_);
    if (!(before > 0) || !(unit > 0)) return false;
    size_t sizes = 0;
    for (const auto& weights : weights_) sizes += weights ? weights->size() : 0;
    const double weight = static_cast<double>(std::max<size_t>(sizes, 1)) / unit;
    BlockParameters soft = hard_;
    std::vector<int64_t> order = learned_from_;
    Rng random(options_.seed, stream_);
    size_t next = order.size();
    for (int64_t iteration = 0; iteration < options_.iterations; ++iteration) {
      std::vector<int64_t> batch;
      while (static_cast<int64_t>(batch.size()) < std::min(options_.batch, static_cast<int64_t>(order.size()))) {
        if (next == order.size()) {
          random.shuffle(order);
          next = 0;
        }
        batch.push_back(order[next++]);
      }
      for (size_t l = 0; l < weights_.size(); ++l) {
        if (weights_[l]) weights_[l]->soft(soft.weights[l]);
      }
      soft.biases = hard_.biases;
      soft.grids = hard_.grids;
      const BlockSlopes slopes = slopes_of(soft, batch, weight, random.next());
      update(slopes, static_cast<double>(iteration) / static_cast<double>(options_.iterations));
    }
    for (size_t l = 0; l < weights_.size(); ++l) {
      if (weights_[l]) weights_[l]->hard(hard_.weights[l]);
    }
    return error_of(hard_, held_back_) < before;
  }

  const BlockParameters& result() const { return hard_; }
  const std::vector<std::optional<SoftRounding>>& weights() const { return weights_; }

 private:
  // Mean over the samples.
  double error_of(const BlockParameters& parameters, const std::vector<int64_t>& which) {
    std::vector<double> errors(which.size());
    team_.run_indexed(static_cast<int64_t>(which.size()), [&](int64_t i, int thread) {
      const int64_t sample = which[static_cast<size_t>(i)];
      const auto y = passes_[static_cast<size_t>(thread)].forward(parameters, samples_.of(samples_.found, sample), {});
      const auto target = samples_.of(samples_.target, sample);
      double sum = 0;
      for (size_t k = 0; k < y.size(); ++k) sum += double{y[k] - target[k]} * double{y[k] - target[k]};
      errors[static_cast<size_t>(i)] = sum;
    });
    return std::accumulate(errors.begin(), errors.end(), 0.0) / static_cast<double>(which.size());
  }

  // By layer: what a bias is measured in, the deviation of the weights' sums.
  std::vector<double> output_deviations() const {
    double square = 0;
    for (const float v : samples_.target) square += double{v} * double{v};
    const double deviation = std::sqrt(square / static_cast<double>(std::max<size_t>(samples_.target.size(), 1)));
    return std::vector<double>(hard_.biases.size(), deviation);
  }

  // Of the mean squared error times `weight`.
  BlockSlopes slopes_of(const BlockParameters& parameters, const std::vector<int64_t>& batch, double weight,
                        uint64_t seed) {
    std::vector<BlockSlopes> parts(kParts, net_.no_slopes());
    const auto size = static_cast<int64_t>(batch.size());
    team_.run_indexed(kParts, [&](int64_t part, int thread) {
      BlockNet::Pass& pass = passes_[static_cast<size_t>(thread)];
      std::vector<float> x(static_cast<size_t>(samples_.input_size)), slope(static_cast<size_t>(samples_.output_size));
      std::vector<uint64_t> bits;
      for (int64_t i = part * size / kParts; i < (part + 1) * size / kParts; ++i) {
        const int64_t sample = batch[static_cast<size_t>(i)];
        const auto found = samples_.of(samples_.found, sample), real = samples_.of(samples_.real, sample);
        std::copy(found.begin(), found.end(), x.begin());
        if (options_.drop) {
          Rng random(seed, static_cast<uint64_t>(i));
          uint64_t word = 0;
          for (size_t k = 0; k < x.size(); ++k, word >>= 1) {
            if (k % 64 == 0) word = random.next();
            if ((word & 1) != 0) x[k] = real[k];
          }
          bits.resize(static_cast<size_t>(net_.drop_words()));
          for (uint64_t& each : bits) each = random.next();
        }
        const auto y = pass.forward(parameters, x, bits);
        const auto target = samples_.of(samples_.target, sample);
        const auto factor = static_cast<float>(2 * weight / static_cast<double>(size));
        for (size_t k = 0; k < y.size(); ++k) slope[k] = factor * (y[k] - target[k]);
        pass.backward(parameters, slope, parts[static_cast<size_t>(part)]);
      }
    });
    BlockSlopes sum = std::move(parts.front());
    const auto add = [](std::vector<double>& to, const std::vector<double>& from) {
      for (size_t i = 0; i < to.size(); ++i) to[i] += from[i];
    };
    for (size_t p = 1; p < parts.size(); ++p) {
      for (size_t l = 0; l < sum.weights.size(); ++l) {
        add(sum.weights[l], parts[p].weights[l]);
        add(sum.biases[l], parts[p].biases[l]);
      }
      add(sum.scales, parts[p].scales);
    }
    return sum;
  }

  void update(const BlockSlopes& slopes, double progress) {
    const double beta = penalty_exponent(progress);
    const double falling = 0.5 * (1 + std::cos(std::numbers::pi * progress));
    for (size_t l = 0; l < weights_.size(); ++l) {
      if (weights_[l]) {
        weights_[l]->update(slopes.weights[l], options_.rate, progress < kWarmUp ? 0 : options_.push, beta);
      }
      if (!options_.biases) continue;
      bias_moves_[l].begin();
      for (size_t c = 0; c < hard_.biases[l].size(); ++c) {
        const double move = bias_moves_[l].move(c, slopes.biases[l][c]);
        hard_.biases[l][c] -= static_cast<float>(kBiasRate * falling * bias_units_[l] * move);
      }
    }
    scales_.begin();
    for (size_t g = 0; g < moves_.size(); ++g) {
      if (!moves_[g]) continue;
      float& scale = hard_.grids[g].scale;
      // Steps of the logarithm: a scale stays positive, and all have the same rate.
      const double move = scales_.move(g, slopes.scales[g] * double{scale});
      scale = static_cast<float>(double{scale} * std::exp(-kScaleRate * falling * move));
    }
  }

  const BlockNet& net_;
  const BlockSamples& samples_;
  std::vector<std::optional<SoftRounding>> weights_;
  std::vector<bool> moves_;  // by grid: its scale is learned
  const RefineOptions& options_;
  uint64_t stream_;
  ThreadTeam& team_;
  BlockParameters hard_, first_;
  std::vector<Adam> bias_moves_;
  Adam scales_;
  std::vector<double> bias_units_;
  std::vector<BlockNet::Pass> passes_;
  std::vector<int64_t> learned_from_, held_back_;
};

class Refining {
 public:
  Refining(Workbench& bench, const RefineOptions& options)
      : bench_(bench),
        options_(options),
        batches_(bench.required_samples("refine_blocks").kept(options.images)),
        reference_run_(bench.reference, batches_, *bench.team, kRefineStagedBytes),
        journal_(journal_path(bench), bench.journal.empty() ? 0 : fingerprint(), *bench.progress) {
    infer(bench_.model.graph);
    for (const GridGroup& group : plan_quantization(bench.reference, *bench.recipe).groups) {
      if (group.values.size() == 1) alone_.insert(bench.reference.value(group.values.front()).name);
    }
  }

  void run() {
    const std::vector<Block> blocks = find_blocks(typed_);
    bench_.progress->begin("refining blocks", static_cast<int64_t>(blocks.size()), "blocks");
    int64_t done = 0;
    for (const Block& block : blocks) {
      if (is_refinable(block)) refine(block, static_cast<uint64_t>(done));
      bench_.progress->advance(++done);
    }
    bench_.progress->end();
  }

 private:
  static std::filesystem::path journal_path(const Workbench& bench) {
    std::filesystem::path path = bench.journal;
    if (!path.empty()) path += kBlockJournal;
    return path;
  }

  uint64_t fingerprint() const {
    return fingerprint_of(bench_, batches_,
                          fmt::format("{} {} {} {} {} {} {} {}", options_.iterations, options_.batch, options_.rate,
                                      options_.push, options_.drop, options_.biases, options_.weights, options_.seed));
  }

  // Types for one sample.
  void infer(const Graph& graph) {
    typed_ = graph;
    std::map<std::string, Shape> shapes;
    for (const auto& [name, tensor] : batches_.front().inputs) {
      shapes[name] = tensor.shape();
      if (!shapes[name].empty()) shapes[name].front() /= static_cast<int64_t>(batches_.front().ids.size());
    }
    infer_shapes(typed_, shapes);
  }

  // The model with the types of one sample.
  QuantizedModel typed_model() const {
    QuantizedModel typed = bench_.model;
    for (ValueId id : typed_.live_values()) typed.graph.value(id).type = typed_.value(id).type;
    return typed;
  }

  bool is_refinable(const Block& block) const {
    const transform::KeepNames keep;
    const transform::RewriteIndex index(typed_, keep);
    bool rounds = false;
    for (int i : block.nodes) {
      const Node& node = typed_.nodes()[static_cast<size_t>(i)];
      for (ValueId id : {node.inputs[0], node.outputs[0]}) {
        if (!typed_.value(id).type.fixed_shape() || bench_.reference.find(typed_.value(id).name) == ValueId::None) {
          return false;
        }
      }
      rounds |= find_encoding(bench_.model, node.outputs[0]) != nullptr;
      if (node.inputs.size() < 2 || node.is("Clip") || node.is("Add")) continue;
      const Tensor& weights = *typed_.value(node.inputs[1]).constant;
      const auto layout = transform::weight_layout(node, weights.shape());
      if (weights.dtype() != DType::Float || !layout || !transform::bias_of(index, node, layout->outputs()))
        return false;
      rounds |= find_encoding(bench_.model, node.inputs[1]) != nullptr;
    }
    return rounds;
  }

  // Roundings that can be chosen.
  std::optional<SoftRounding> soft_rounding(const BlockNet::Layer& layer) const {
    const auto found = bench_.model.encodings.find(layer.weights);
    if (found == bench_.model.encodings.end()) return std::nullopt;
    const QuantParams& params = found->second.params;
    const ValueId id = bench_.model.graph.find(layer.weights), real = bench_.reference.find(layer.weights);
    const bool affine = params.levels.empty() && params.block_size == 0 && params.channel_bits.empty();
    if (!affine || GraphIndex(bench_.model.graph).consumers(id).size() != 1 || real == ValueId::None) {
      return std::nullopt;
    }
    return SoftRounding(layer.shape, *bench_.model.graph.value(id).constant, params,
                        *bench_.reference.value(real).constant);
  }

  void refine(const Block& block, uint64_t stream) {
    reference_run_.finish(block.nodes.front() - 1);
    if (const Journal::Entry* known = journal_.find(block.name); known != nullptr && take(block, *known)) return;
    const BlockNet net(typed_model(), block);
    const BlockSamples samples =
        read_block_samples(bench_, block, net.input_size(), net.output_size(), reference_run_, batches_, kRefinedBytes);
    // Weights have to make up for scales and biases that are good already.
    bool better = improve(net, samples, false, 2 * stream);
    if (options_.weights) better = improve(BlockNet(typed_model(), block), samples, true, 2 * stream + 1) || better;
    journal_.add(block.name, better ? held(net) : Journal::Entry{});
  }

  bool improve(const BlockNet& net, const BlockSamples& samples, bool with_weights, uint64_t stream) {
    std::vector<std::optional<SoftRounding>> weights;
    for (const BlockNet::Layer& layer : net.layers()) {
      weights.push_back(with_weights ? soft_rounding(layer) : std::nullopt);
    }
    std::vector<bool> moves;
    for (const std::string& name : net.rounded()) {
      moves.push_back(alone_.contains(name) && code_bits(bench_.model.encodings.at(name).params) < kManyBits);
    }
    Learner learner(net, samples, std::move(weights), moves, options_, stream, *bench_.team);
    if (!learner.learn()) return false;
    const QuantizedModel before = bench_.model;
    for (size_t l = 0; l < net.layers().size(); ++l) {
      if (learner.weights()[l]) {
        Graph& graph = bench_.model.graph;
        graph.value(graph.find(net.layers()[l].weights)).constant = learner.weights()[l]->content();
      }
      const std::vector<float>& biases = learner.result().biases[l];
      if (options_.biases) set_bias(net.layers()[l], {biases.begin(), biases.end()});
    }
    for (size_t g = 0; g < moves.size(); ++g) {
      bench_.model.encodings.at(net.rounded()[g]).params.scale = {learner.result().grids[g].scale};
    }
    if (plan_integers(bench_.model).refusals.size() <= plan_integers(before).refusals.size()) return true;
    bench_.model = before;
    return false;
  }

  void set_bias(const BlockNet::Layer& layer, const std::vector<double>& bias) {
    Graph& graph = bench_.model.graph;
    transform::set_bias(graph, GraphIndex(graph), graph.nodes()[static_cast<size_t>(layer.node)], bias);
  }

  // What the model holds of the block, one layer after the other.
  Journal::Entry held(const BlockNet& net) const {
    Journal::Entry entry;
    const Graph& graph = bench_.model.graph;
    const transform::KeepNames keep;
    const transform::RewriteIndex index(graph, keep);
    for (const BlockNet::Layer& layer : net.layers()) {
      const std::span<const float> weights = graph.value(graph.find(layer.weights)).constant->data<float>();
      entry.weights.insert(entry.weights.end(), weights.begin(), weights.end());
      const auto bias = *transform::bias_of(index, graph.nodes()[static_cast<size_t>(layer.node)], layer.outputs());
      entry.bias.insert(entry.bias.end(), bias.begin(), bias.end());
    }
    for (const std::string& name : net.rounded()) {
      entry.scale.push_back(bench_.model.encodings.at(name).params.scale.front());
    }
    return entry;
  }

  // A result of an earlier run.
  bool take(const Block& block, const Journal::Entry& entry) {
    if (entry == Journal::Entry{}) return true;  // nothing was better
    const BlockNet net(typed_model(), block);
    const Journal::Entry now = held(net);
    if (now.weights.size() != entry.weights.size() || now.bias.size() != entry.bias.size() ||
        now.scale.size() != entry.scale.size()) {
      return false;
    }
    auto weights = entry.weights.begin();
    auto bias = entry.bias.begin();
    for (const BlockNet::Layer& layer : net.layers()) {
      std::optional<Tensor>& content = bench_.model.graph.value(bench_.model.graph.find(layer.weights)).constant;
      const std::vector<float> numbers(weights, weights + content->size());
      content = Tensor::from(content->shape(), numbers);
      weights += static_cast<ptrdiff_t>(numbers.size());
      if (options_.biases) set_bias(layer, {bias, bias + layer.outputs()});
      bias += layer.outputs();
    }
    for (size_t g = 0; g < entry.scale.size(); ++g) {
      bench_.model.encodings.at(net.rounded()[g]).params.scale = {entry.scale[g]};
    }
    return true;
  }

  Workbench& bench_;
  const RefineOptions& options_;
  std::vector<data::Batch> batches_;
  StagedRun reference_run_;
  Graph typed_;                               // the model's network with types for one sample
  std::set<std::string, std::less<>> alone_;  // values that share their grid with no other
  Journal journal_;
};

}  // namespace

void refine_blocks(Workbench& bench, const RefineOptions& options) { Refining(bench, options).run(); }

}  // namespace halftone::ptq
