// Real networks: what training computes is what the reference interpreter does, in float and rounded.
#include <gtest/gtest.h>

#include "halftone/onnx/onnx.h"
#include "halftone/quant/assign.h"
#include "halftone/sim/interpreter.h"
#include "halftone/train/fake_quantized.h"
#include "halftone/train/tensors.h"
#include "halftone/transform/pass.h"
#include "tests/support/noise.h"
#include "tests/support/relative_difference.h"
#include "tests/support/testdata.h"

namespace halftone::train {
namespace {

struct Network {
  std::string file;
  Shape input;           // of two samples, where the network takes as many
  double deviation = 1;  // of its inputs
};
void PrintTo(const Network& network, std::ostream* stream) { *stream << network.file; }

const Network kResnet8{"resnet8_mlperf_tiny", {2, 3, 32, 32}, 100};
const Network kResnet20{"resnet20_cifar10", {2, 3, 32, 32}};

Tensor samples(const Network& network) {
  Tensor x = test::noise(network.input, 7);
  for (float& v : x.mutable_data<float>()) v *= static_cast<float>(network.deviation);
  return x;
}

class SharedModels : public testing::TestWithParam<Network> {
 protected:
  void SetUp() override {
    path_ = test::shared_folder() / "models" / (GetParam().file + ".onnx");
    if (!std::filesystem::exists(path_)) GTEST_SKIP() << path_ << " is not there: set HALFTONE_SHARED";
  }
  Graph graph() const { return onnx::import_model(path_); }

 private:
  std::filesystem::path path_;
};

using FloatNetworks = SharedModels;

TEST_P(FloatNetworks, ForwardIsTheInterpreters) {
  const Graph network = graph();
  const Tensor x = samples(GetParam());
  const TensorMap expected = sim::Interpreter(network).run({{network.value(network.required_inputs().at(0)).name, x}});
  for (const Graph& form : {network, trainable(network)}) {
    const at::NoGradGuard no_grad;
    const std::vector<at::Tensor> found = Executor(form).forward({to_torch(x)}, BatchStatistics::Frozen);
    TensorMap outputs;
    for (size_t i = 0; i < found.size(); ++i) outputs[form.value(form.outputs()[i]).name] = from_torch(found[i]);
    EXPECT_LT(test::relative_difference(outputs, expected), 1e-4);
  }
}

INSTANTIATE_TEST_SUITE_P(All, FloatNetworks,
                         testing::Values(Network{"mobilenet_v2", {2, 3, 224, 224}},
                                         Network{"mobilenet_v2_tfslim", {2, 3, 224, 224}},
                                         Network{"mobilenet_v2_tfslim_bn", {2, 3, 224, 224}}, kResnet20,
                                         Network{"resnet56_cifar10", {2, 3, 32, 32}}, kResnet8,
                                         Network{"ultraface_rfb320", {1, 3, 240, 320}},
                                         Network{"vww_mobilenet_v1_025", {2, 3, 96, 96}}));

using RoundedNetworks = SharedModels;

// Compares every value with the finished network's, and goes on with the latter.
class Following : public Intervention {
 public:
  Following(FakeQuantized& rounding, const Graph& graph, const QuantizedModel& finished, const TensorMap& input)
      : rounding_(rounding), graph_(graph), finished_(finished) {
    sim::Interpreter(finished).run(input, [&](std::string_view name, const Tensor& real, const Tensor*) {
      expected_[std::string(name)] = to_torch(real);
    });
  }
  std::vector<at::Tensor> compute(const OpCall& call) override { return rounding_.compute(call); }
  at::Tensor result(ValueId id, const at::Tensor& real) override {
    const std::string& name = graph_.value(id).name;
    const at::Tensor found = rounding_.result(id, real);
    const auto expected = expected_.find(name);
    if (expected == expected_.end()) return found;  // between a layer and what is folded into it
    ++compared;
    const auto encoding = finished_.encodings.find(name);
    if (encoding == finished_.encodings.end()) {
      const at::Tensor apart = (found - expected->second).abs().max();
      EXPECT_LT(apart.item<float>(), 1e-4 * expected->second.abs().max().item<float>()) << name;
    } else {
      // Floats that lie on the edge between two codes may fall on either side, and nothing else.
      const float step = encoding->second.params.scale.at(0);
      const at::Tensor differs = found != expected->second;
      const at::Tensor middle = (found + expected->second) / 2;
      EXPECT_LT((at::where(differs, real - middle, at::zeros({})) / step).abs().max().item<float>(), 1e-3) << name;
      EXPECT_LT(differs.to(at::kFloat).mean().item<float>(), 2e-3) << name;
    }
    return expected->second;
  }
  int compared = 0;

 private:
  FakeQuantized& rounding_;
  const Graph& graph_;
  const QuantizedModel& finished_;
  std::map<std::string, at::Tensor> expected_;
};

std::vector<ChannelRanges> ranges_of(const Graph& graph, const QuantPlan& plan, const TensorMap& input) {
  std::map<std::string, Range> seen;
  sim::Interpreter(graph).run(input, [&](std::string_view name, const Tensor& real, const Tensor*) {
    const auto [low, high] = std::minmax_element(real.data<float>().begin(), real.data<float>().end());
    seen[std::string(name)] = {*low, *high};
  });
  std::vector<ChannelRanges> ranges;
  for (const GridGroup& group : plan.groups) {
    Range range{0, 0};
    for (ValueId id : group.observed) {
      const Range& each = seen.at(graph.value(id).name);
      range = {std::min(range.low, each.low), std::max(range.high, each.high)};
    }
    ranges.push_back({range});
  }
  return ranges;
}

// In inference the trainer computes with floats what the integers of the finished network stand for.
TEST_P(RoundedNetworks, InferenceIsTheFinishedNetworksValueByValue) {
  const Graph network = graph();
  const Tensor x = samples(GetParam());
  const TensorMap input = {{network.value(network.required_inputs().at(0)).name, x}};
  for (const std::string bits : {"8", "4"}) {
    SCOPED_TRACE(bits + " bits");
    const Recipe recipe = make_recipe("int" + bits, "uint" + bits, "per_channel", "min_max");
    const Graph simple = transform::simplify(network);
    const QuantPlan plan = plan_quantization(simple, recipe);
    Executor executor(trainable(network));
    FakeQuantized rounding(executor, assign_encodings(simple, plan, ranges_of(simple, plan, input)), plan, {}, 0);
    rounding.set_mode(Mode::Inference);
    const QuantizedModel finished = rounding.finished();
    Following following(rounding, executor.graph(), finished, input);
    const at::NoGradGuard no_grad;
    executor.forward({to_torch(x)}, BatchStatistics::Frozen, &following);
    EXPECT_GE(following.compared, static_cast<int>(plan.weights.size()));
  }
}

INSTANTIATE_TEST_SUITE_P(All, RoundedNetworks, testing::Values(kResnet8, kResnet20));

}  // namespace
}  // namespace halftone::train
