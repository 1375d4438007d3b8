// What tests of steps share: networks of a few layers, samples in memory, and a workbench made of both.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "halftone/base/rng.h"
#include "halftone/ptq/quantize.h"
#include "halftone/ptq/workbench.h"
#include "halftone/quant/recipe.h"
#include "halftone/transform/pass.h"
#include "halftone/transform/separate_sums.h"
#include "tests/support/test_graph.h"

namespace halftone::ptq::test {

inline Tensor random_tensor(Shape shape, uint64_t seed, double deviation = 1, double mean = 0) {
  Tensor tensor(DType::Float, std::move(shape));
  Rng rng(seed);
  for (float& v : tensor.mutable_data<float>()) v = static_cast<float>(mean + deviation * rng.normal());
  return tensor;
}

// Tensors as a data set for the input "x"; dimension 0 of each is 1.
class TensorSamples final : public data::Dataset {
 public:
  explicit TensorSamples(std::vector<Tensor> tensors) : tensors_(std::move(tensors)) {}
  std::optional<int64_t> size() const override { return static_cast<int64_t>(tensors_.size()); }
  std::optional<data::Record> next() override {
    if (next_ == tensors_.size()) return std::nullopt;
    const size_t i = next_++;
    return data::Record{std::to_string(i), [id = i, tensor = tensors_[i]] {
                          data::Sample sample;
                          sample.id = std::to_string(id);
                          sample.tensors["x"] = tensor;
                          return sample;
                        }};
  }
  void rewind() override { next_ = 0; }

 private:
  std::vector<Tensor> tensors_;
  size_t next_ = 0;
};

inline Samples samples_of(const std::vector<Tensor>& tensors, int64_t batch = 1) {
  Shape shape = tensors.at(0).shape();
  std::vector<int64_t> dims(shape.begin(), shape.end());
  dims[0] = -1;
  return Samples([tensors, dims, batch] {
    return std::make_unique<data::Loader>(std::make_unique<TensorSamples>(tensors), std::nullopt,
                                          std::vector<data::InputPort>{{"x", DType::Float, dims}},
                                          data::LoaderOptions{batch, 1, 4});
  });
}

inline std::vector<Tensor> random_samples(const Shape& shape, int count, uint64_t seed, double mean = 0.5) {
  std::vector<Tensor> tensors;
  for (int i = 0; i < count; ++i) tensors.push_back(random_tensor(shape, seed + static_cast<uint64_t>(i), 1, mean));
  return tensors;
}

// A network from its input "x" on, node by node; results are called like their nodes.
class Net {
 public:
  Graph graph;

  explicit Net(std::vector<Dim> input) {
    graph.opset_imports = {{"", 13}};
    const ValueId x = graph.add_value("x", {DType::Float, std::move(input)});
    graph.value(x).declared = true;
    graph.inputs() = {x};
  }

  Node& add(const std::string& op, const std::string& name, const std::vector<std::string>& inputs) {
    Node node{name, op, "", {}, {graph.add_value(name)}, {}, {}, {}};
    for (const std::string& input : inputs) node.inputs.push_back(graph.find(input));
    graph.nodes().push_back(std::move(node));
    return graph.nodes().back();
  }
  std::string constant(const std::string& name, Tensor content) {
    graph.add_constant(name, std::move(content));
    return name;
  }
  // With constants NAME_w and, where given, NAME_b.
  Node& layer(const std::string& op, const std::string& name, const std::string& input, Tensor weights,
              std::optional<Tensor> bias = std::nullopt) {
    std::vector<std::string> inputs = {input, constant(name + "_w", std::move(weights))};
    if (bias) inputs.push_back(constant(name + "_b", std::move(*bias)));
    return add(op, name, inputs);
  }
  Graph& finish(const std::string& output) {
    graph.outputs() = {graph.find(output)};
    return graph;
  }
};

// A workbench as model steps find it, on `threads` threads.
struct Bench {
  Recipe recipe;
  Samples samples;
  ThreadTeam team;
  Workbench bench;

  Bench(const Graph& graph, std::vector<Tensor> tensors,
        Recipe made = make_recipe("int8", "uint8", "per_channel", "min_max"), int threads = 2, int64_t batch = 1)
      : recipe(std::move(made)), samples(samples_of(tensors, batch)), team(threads) {
    bench.norms = collect_norm_statistics(graph);
    bench.reference = transform::separate_sums(transform::simplify(graph), recipe);
    bench.recipe = &recipe;
    bench.samples = &samples;
    bench.team = &team;
    bench.progress = &silent_progress();
    const auto loader = samples.stream();
    bench.model = quantize_simplified(bench.reference, loader.get(), recipe, team, *bench.progress).model;
  }
};

}  // namespace halftone::ptq::test
