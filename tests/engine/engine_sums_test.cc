// Residual networks whose sums have more bits than what products read: engine, interpreter and file agree bit for bit.
#include <gtest/gtest.h>

#include "halftone/onnx/onnx.h"
#include "halftone/ptq/test_bench.h"
#include "halftone/quant/integer_plan.h"
#include "halftone/runtime/session.h"
#include "halftone/sim/interpreter.h"
#include "halftone/transform/fold_qdq.h"
#include "halftone/transform/insert_qdq.h"

namespace halftone {
namespace {

using ptq::test::Net;
using ptq::test::random_samples;
using ptq::test::random_tensor;

// Two residual blocks of 5 channels on 7 x 7, the second one with a convolution on its other way, and a linear layer.
Graph residual_network() {
  Net net({Dim("N"), 3, 7, 7});
  const auto conv = [&](const std::string& name, const std::string& input, int64_t from, uint64_t seed) {
    net.layer("Conv", name, input, random_tensor({5, from, 3, 3}, seed, 0.3), random_tensor({5}, seed + 50, 0.3))
        .set_attribute("pads", std::vector<int64_t>{1, 1, 1, 1});
  };
  conv("stem", "x", 3, 1);
  net.add("Relu", "r0", {"stem"});
  conv("a1", "r0", 5, 2);
  net.add("Relu", "a2", {"a1"});
  conv("a3", "a2", 5, 3);
  net.add("Add", "a", {"a3", "r0"});
  net.add("Relu", "r1", {"a"});
  conv("b1", "r1", 5, 4);
  net.add("Relu", "b2", {"b1"});
  conv("b3", "b2", 5, 5);
  net.layer("Conv", "b4", "r1", random_tensor({5, 5, 1, 1}, 6, 0.5));
  net.add("Add", "b", {"b3", "b4"});
  net.add("Relu", "r2", {"b"});
  net.add("GlobalAveragePool", "mean", {"r2"});
  net.add("Flatten", "flat", {"mean"});
  net.layer("Gemm", "fc", "flat", random_tensor({5, 4}, 7), random_tensor({4}, 8));
  return net.finish("fc");
}

class EngineSums : public ::testing::TestWithParam<const char*> {};

TEST_P(EngineSums, EngineInterpreterAndFileAgree) {
  const Recipe recipe = make_recipe("int4", GetParam(), "per_channel", "min_max");
  auto samples = ptq::test::samples_of(random_samples({1, 3, 7, 7}, 8, 100));
  const QuantizedModel model = ptq::quantize(residual_network(), &samples, {.recipe = recipe}).model;
  const IntegerPlan plan = plan_integers(model);
  EXPECT_TRUE(plan.refusals.empty());
  for (size_t i = 0; i < plan.nodes.size(); ++i) EXPECT_TRUE(plan.nodes[i] || plan.absorbed[i]) << i;
  const int operand_bits = code_bits(model.encodings.at("r0_operand").params);
  EXPECT_EQ(operand_bits, recipe.activations.bits);
  EXPECT_EQ(code_bits(model.encodings.at("r0").params), 8);
  EXPECT_FALSE(model.encodings.contains("r2_operand"));

  const std::string file = onnx::serialize_model(insert_qdq(model));
  const QuantizedModel reread = fold_qdq(onnx::import_model(std::as_bytes(std::span(file))));
  for (const auto& [name, encoding] : model.encodings) {
    ASSERT_TRUE(reread.encodings.contains(name)) << name;
    EXPECT_EQ(reread.encodings.at(name).params, encoding.params) << name;
  }
  const sim::Interpreter interpreter(model), from_file(reread);
  const Session session(model), session_of_file(reread);
  for (uint64_t seed = 0; seed < 6; ++seed) {
    const TensorMap inputs = {{"x", random_tensor({2, 3, 7, 7}, 900 + seed, seed == 0 ? 100 : 1, 0.5)}};
    const Tensor expected = interpreter.run(inputs).at("fc");
    EXPECT_TRUE(from_file.run(inputs).at("fc").same_as(expected));
    EXPECT_TRUE(session.run(inputs).at("fc").same_as(expected));
    EXPECT_TRUE(session_of_file.run(inputs).at("fc").same_as(expected));
  }
}

INSTANTIATE_TEST_SUITE_P(Widths, EngineSums, ::testing::Values("uint4", "uint2", "uint5", "int4"));

}  // namespace
}  // namespace halftone
