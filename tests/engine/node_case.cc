#include "tests/engine/node_case.h"

#include <fmt/ranges.h>

#include "tests/engine/exact_values.h"

namespace halftone::test {

TensorMap Net::random_inputs() {
  TensorMap inputs;
  for (const auto& [name, shape] : shapes) {
    const QuantParams& params = model.encodings.at(name).params;
    std::vector<float> values(static_cast<size_t>(element_count(shape)));
    for (float& value : values) {
      auto q = params.q_min + static_cast<int64_t>(rng.below(static_cast<uint64_t>(params.q_max - params.q_min + 1)));
      if (rng.below(5) == 0) q = rng.below(2) == 0 ? params.q_min : params.q_max;
      value = dequantize(static_cast<int32_t>(q), params.scale[0], params.zero_point[0]);
    }
    inputs[name] = Tensor::from(shape, values);
  }
  for (const auto& [name, shape] : real_shapes) {
    inputs[name] = Tensor::from(shape, random_floats(rng, element_count(shape), -3, 2));
  }
  return inputs;
}

void expect_exact_node(const Case& node) {
  for (const RequantizeMode mode : {RequantizeMode::Float, RequantizeMode::Dyadic}) {
    Net net;
    net.output(node.build(net));
    const TensorMap inputs = net.random_inputs();
    const std::set<std::string> exact = exact_values(net.model, mode);
    ASSERT_TRUE(exact.contains("y"));
    const Reference reference = run_reference(net.model, mode, inputs);
    for (const int threads : {1, 3}) expect_exact(net.model, reference, exact, inputs, mode, threads);

    SessionOptions options;
    options.requantize = mode;
    const std::vector<NodeNote> notes = Session(net.model, options).explain();
    ASSERT_EQ(notes.size(), 1U);
    EXPECT_EQ(notes[0].rule, node.rule) << fmt::format("{}", fmt::join(notes[0].refusals, "\n"));
  }
}

}  // namespace halftone::test
