// A network of the kind of MobileNetV3 and EfficientNet, quantized: its gates and activations are tables and products
// of codes, and the engine gives the interpreter's bytes from the quantized input to the last layer.
#include <gtest/gtest.h>

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "halftone/sim/interpreter.h"
#include "tests/engine/exact_values.h"
#include "tests/support/noise.h"
#include "tests/support/test_graph.h"

namespace halftone {
namespace {

using test::noise;

constexpr int64_t kTables = 13;

class GatedNet : public test::TestGraph {
 public:
  GatedNet() : TestGraph(20) {
    ValueId x = conv(input("x", test::typed({"N", 3, 19, 14})), 3, 12, 3, 2);
    x = (*this)("HardSwish", {x});
    const ValueId block = x;
    x = (*this)("HardSwish", {conv(x, 12, 12, 3, 1, 12)});
    x = conv(squeeze_excite(x, 12, "HardSigmoid"), 12, 12, 1);
    x = (*this)("Add", {x, block});
    x = silu(conv(x, 12, 21, 1));
    x = hard_swish_of_parts(conv(x, 21, 21, 5, 2, 21));
    x = conv(squeeze_excite(x, 21, "Sigmoid"), 21, 18, 1);
    for (const char* function : {"Gelu", "Elu", "Softplus", "Mish", "Tanh", "Softsign"}) {
      x = conv((*this)(function, {x}), 18, 18, 1);
    }
    x = (*this)("HardSwish", {(*this)("GlobalAveragePool", {x})});
    x = (*this)("Flatten", {x});
    graph.outputs() = {(*this)("Gemm", {x, constant(noise({18, 10}, 99)), constant(noise({10}, 98))})};
  }

  QuantizedModel quantized(const Recipe& recipe = {}) const {
    return test::quantize_on_noise(graph, "x", {1, 3, 19, 14}, recipe, 40);
  }

 private:
  ValueId conv(ValueId x, int64_t in, int64_t out, int64_t size, int64_t stride = 1, int64_t groups = 1) {
    const int64_t pad = size / 2;
    Tensor weights = noise({out, in / groups, size, size}, seed_++);
    const double gain = 1.4 / std::sqrt(static_cast<double>(in / groups * size * size));
    for (float& w : weights.mutable_data<float>()) w = static_cast<float>(w * gain);
    return (*this)(
        "Conv", {x, constant(weights), constant(noise({out}, seed_++))},
        {{"group", groups}, {"strides", test::list({stride, stride})}, {"pads", test::list({pad, pad, pad, pad})}});
  }
  ValueId squeeze_excite(ValueId x, int64_t channels, const char* gate) {
    const ValueId squeezed = (*this)("Relu", {conv((*this)("GlobalAveragePool", {x}), channels, 6, 1)});
    return (*this)("Mul", {x, (*this)(gate, {conv(squeezed, 6, channels, 1)})});
  }
  ValueId silu(ValueId x) { return (*this)("Mul", {x, (*this)("Sigmoid", {x})}); }
  ValueId scalar(float value) { return constant(Tensor::scalar(value)); }
  // As exporters write it for operator sets that lack it.
  ValueId hard_swish_of_parts(ValueId x) {
    const ValueId gate = (*this)("Clip", {(*this)("Add", {x, scalar(3)}), scalar(0), scalar(6)});
    return (*this)("Div", {(*this)("Mul", {x, gate}), scalar(6)});
  }

  uint64_t seed_ = 1000;
};

TEST(Gates, NothingIsFloatBetweenTheInputAndTheLastLayer) {
  const QuantizedModel model = GatedNet().quantized();
  EXPECT_EQ(model.float_reasons.size(), 1U)
      << "the network's output: " << fmt::format("{}", fmt::join(model.float_reasons, ", "));
  int64_t tables = 0;
  for (const NodeNote& note : Session(model).explain({{"x", {1, 3, 19, 14}}})) {
    EXPECT_TRUE(note.integers) << note.node << ": " << note.float_reason;
    EXPECT_NE(note.rule, "reference") << note.node << ": " << fmt::format("{}", fmt::join(note.refusals, "; "));
    tables += note.rule == "table" ? 1 : 0;
  }
  EXPECT_EQ(tables, kTables);
}

TEST(Gates, EveryByteIsTheInterpreters) {
  const QuantizedModel usual = GatedNet().quantized();
  const QuantizedModel narrow = GatedNet().quantized(make_recipe("int8", "int8", "per_tensor", "min_max"));
  for (const QuantizedModel* model : {&usual, &narrow}) {
    for (const RequantizeMode mode : {RequantizeMode::Float, RequantizeMode::Dyadic}) {
      for (const int64_t batch : {1, 3}) {
        const TensorMap inputs = {{"x", noise({batch, 3, 19, 14}, 500)}};
        const std::set<std::string> exact = test::exact_values(*model, mode);
        const test::Reference reference = test::run_reference(*model, mode, inputs);
        for (const auto& [name, codes] : reference.codes) EXPECT_TRUE(exact.contains(name)) << name;
        for (const int threads : {1, 2, 3}) test::expect_exact(*model, reference, exact, inputs, mode, threads);
      }
    }
  }
}

TEST(Gates, ResultsAreNearTheFloatNetworks) {
  const GatedNet net;
  const QuantizedModel model = net.quantized();
  const sim::Interpreter before(net.graph);
  const Session after(model);
  const std::string output = net.graph.value(net.graph.outputs()[0]).name;
  double signal = 0, error = 0;
  int agreed = 0;
  const uint64_t count = 30;
  for (uint64_t seed = 600; seed < 600 + count; ++seed) {
    const TensorMap inputs = {{"x", noise({1, 3, 19, 14}, seed)}};
    const Tensor expected = before.run(inputs).at(output), found = after.run(inputs).at(output);
    const std::span<const float> f = expected.data<float>(), q = found.data<float>();
    for (size_t i = 0; i < f.size(); ++i) {
      signal += double{f[i]} * f[i];
      error += (double{f[i]} - q[i]) * (double{f[i]} - q[i]);
    }
    agreed += std::max_element(f.begin(), f.end()) - f.begin() == std::max_element(q.begin(), q.end()) - q.begin();
  }
  EXPECT_GT(10 * std::log10(signal / error), 20);
  EXPECT_GE(agreed, 27);
}

}  // namespace
}  // namespace halftone
