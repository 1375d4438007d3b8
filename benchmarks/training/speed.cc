// Images per second of training: a network written by hand against libtorch, the same network as an ONNX file, and that
// file with all its weights and activations rounded to 4 bits (LSQ).
//
// halftone_training_speed resnet20.onnx [rounds [threads]]
//
// The three take turns, step by step, so that whatever else the machine does falls on all of them; what counts are the
// ratios of their fastest steps.
#include <ATen/Parallel.h>
#include <fmt/core.h>
#include <torch/optim/sgd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <functional>

#include "benchmarks/training/hand_written.h"
#include "halftone/onnx/onnx.h"
#include "halftone/quant/assign.h"
#include "halftone/train/fake_quantized.h"
#include "halftone/transform/pass.h"

namespace halftone::benchmarks {
namespace {

constexpr int64_t kBatch = 128;

bool is_trained(const Graph& graph, const std::string& name, const at::Tensor& tensor) {
  if (!tensor.is_floating_point()) return false;
  for (const Node& node : graph.nodes()) {
    for (size_t i = 3; node.is("BatchNormalization") && i < 5; ++i) {
      if (graph.value(node.inputs[i]).name == name) return false;
    }
  }
  return true;
}

// The file's network, rounded or not.
class FromFile {
 public:
  FromFile(const Graph& graph, bool rounded) : executor_(train::trainable(graph)) {
    std::vector<at::Tensor> learned;
    for (auto& [name, tensor] : executor_.constants()) {
      if (is_trained(executor_.graph(), name, tensor)) learned.push_back(tensor.set_requires_grad(true));
    }
    if (rounded) {
      // Ranges cost the same wherever they end.
      const Graph simple = transform::simplify(graph);
      const QuantPlan plan = plan_quantization(simple, make_recipe("int4", "uint4", "per_channel", "min_max"));
      const std::vector<ChannelRanges> ranges(plan.groups.size(), {Range{0, 4}});
      rounding_ = std::make_unique<train::FakeQuantized>(executor_, assign_encodings(simple, plan, ranges), plan,
                                                         train::QuantizerChoice{}, 0);
      for (const auto& [name, quantizer] : rounding_->quantizers()) {
        for (const train::Learned& each : quantizer->learned()) learned.push_back(each.tensor);
      }
    }
    optimizer_ =
        std::make_unique<torch::optim::SGD>(learned, torch::optim::SGDOptions(0.01).momentum(0.9).weight_decay(1e-4));
  }

  at::Tensor step(const at::Tensor& images, const at::Tensor& labels) {
    optimizer_->zero_grad();
    const at::Tensor scores = executor_.forward({images}, train::BatchStatistics::Updated, rounding_.get()).at(0);
    const at::Tensor loss = at::cross_entropy_loss(scores, labels);
    loss.backward();
    optimizer_->step();
    if (rounding_ != nullptr) rounding_->project();
    return loss.detach();
  }

 private:
  train::Executor executor_;
  std::unique_ptr<train::FakeQuantized> rounding_;
  std::unique_ptr<torch::optim::SGD> optimizer_;
};

struct Candidate {
  const char* name;
  std::function<void()> step;
  std::vector<double> seconds = {};

  void take_turn() {
    const auto start = std::chrono::steady_clock::now();
    step();
    seconds.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  double images_per_second() const {
    return static_cast<double>(kBatch) / *std::min_element(seconds.begin(), seconds.end());
  }
};

int run(const char* file, int rounds, int threads) {
  at::set_num_threads(threads);
  const Graph graph = onnx::import_model(file);
  const at::Tensor images = at::randn({kBatch, 3, 32, 32}), labels = at::randint(10, {kBatch}, at::kLong);
  const auto hand_written = hand_written_resnet20();
  FromFile plain(graph, false), rounded(graph, true);
  Candidate candidates[] = {{"by hand", [&] { hand_written->step(images, labels); }},
                            {"from the file", [&] { plain.step(images, labels); }},
                            {"rounded to 4 bits", [&] { rounded.step(images, labels); }}};
  for (Candidate& each : candidates) each.step();
  for (int round = 0; round < rounds; ++round) {
    for (Candidate& each : candidates) each.take_turn();
  }
  double before = 0;
  for (const Candidate& each : candidates) {
    const double speed = each.images_per_second();
    fmt::print("{:18} {:7.1f} images/s", each.name, speed);
    if (before > 0) fmt::print("   {:.2f} of the one above", speed / before);
    fmt::print("\n");
    before = speed;
  }
  return 0;
}

}  // namespace
}  // namespace halftone::benchmarks

int main(int count, char** words) {
  if (count < 2) {
    fmt::print(stderr, "halftone_training_speed resnet20.onnx [rounds [threads]]\n");
    return 2;
  }
  try {
    return halftone::benchmarks::run(words[1], count > 2 ? std::atoi(words[2]) : 7,
                                     count > 3 ? std::atoi(words[3]) : 2);
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 1;
  }
}
