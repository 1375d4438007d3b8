#include "halftone/train/quantizer_choice.h"

#include <gtest/gtest.h>

#include "halftone/train/fake_quantized.h"
#include "halftone/train/test_network.h"

namespace halftone::train::quantizer_choice_test {
namespace {

StepRequest request(const std::string& text) { return parse_steps(text).at(0); }

// The method of every tensor, by the names of those who share it.
std::map<std::string, std::string> methods(const QuantizerChoice& choice) {
  const Quantized quantized;
  const QuantizerTable table(choice, quantized.planned.graph);
  std::map<std::string, std::string> found;
  const auto name = [&](ValueId id) { return quantized.planned.graph.value(id).name; };
  for (const WeightPlan& layer : quantized.plan.weights) found[name(layer.weights)] = table.of(layer).name;
  for (const GridGroup& group : quantized.plan.groups) {
    for (ValueId id : group.values) found[name(id)] = table.of(group).name;
  }
  return found;
}

TEST(QuantizerChoice, TheFirstRuleThatMatchesDecides) {
  const std::map<std::string, std::string> found = methods({request("ternary"),
                                                            request("lsq"),
                                                            {{"c1_node", "*", Role::Weights, request("dsq")},
                                                             {"c?.w", "*", {}, request("incremental")},
                                                             {"*", "Gemm", Role::Weights, request("lsq:start=mean")},
                                                             {"c1*", "*", {}, request("dorefa")},
                                                             {"*", "Input", Role::Activations, request("pact")}}});
  EXPECT_EQ(found.at("c1.w"), "dsq");
  EXPECT_EQ(found.at("c2.w"), "incremental");
  EXPECT_EQ(found.at("fc.w"), "lsq");
  EXPECT_EQ(found.at("x"), "pact");
  EXPECT_EQ(found.at("r2"), "lsq");
}

TEST(QuantizerChoice, ActivationsAreCalledAsRecipesCallThem) {
  // The result of a layer is that of the Relu behind it; data movers share one grid.
  EXPECT_EQ(methods({request("lsq"), request("lsq"), {{"sum_node", "*", {}, request("dsq")}}}).at("r2"), "dsq");
  const std::map<std::string, std::string> found =
      methods({request("lsq"), request("lsq"), {{"flat", "*", {}, request("lsq_plus")}}});
  EXPECT_EQ(found.at("flat"), "lsq_plus");
  EXPECT_EQ(found.at("pool"), "lsq_plus");
  EXPECT_EQ(found.at("fc.w"), "lsq");
}

TEST(QuantizerChoice, PlacesNeedNoNames) {
  const std::map<std::string, std::string> found =
      methods({request("ternary"),
               request("pact"),
               {{"*", "*", {}, request("lsq"), Place::First}, {"*", "*", {}, request("dsq"), Place::Last}}});
  EXPECT_EQ(found.at("c1.w"), "lsq");
  EXPECT_EQ(found.at("x"), "lsq");
  EXPECT_EQ(found.at("c2.w"), "ternary");
  EXPECT_EQ(found.at("r1"), "pact");
  EXPECT_EQ(found.at("fc.w"), "dsq");
  EXPECT_EQ(found.at("pool"), "dsq");
}

void expect_refused(const QuantizerChoice& choice, const std::vector<std::string>& fragments) {
  const Quantized quantized;
  const Executor executor(trainable(quantized.float_graph));
  try {
    const FakeQuantized made(executor, quantized.planned, quantized.plan, choice, 0);
    FAIL() << fragments.front();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::InvalidArgument);
    for (const std::string& fragment : fragments) {
      EXPECT_NE(std::string(error.what()).find(fragment), std::string::npos) << error.what();
    }
  }
}

QuantizerChoice with_rule(QuantizerRule rule) {
  return {request("lsq"), request("lsq"), {{"*", "Input", {}, request("lsq")}, std::move(rule)}};
}

TEST(QuantizerChoice, NamesTheRuleThatIsWrong) {
  expect_refused(with_rule({"*", "*", {}, request("lsqq")}), {"did you mean 'lsq'?"});
  expect_refused(with_rule({"*", "*", Role::Weights, request("pact")}), {"rule 2", "'pact' trains activations only"});
  expect_refused({request("lsq_plus"), request("lsq"), {}}, {"quantizer of weights", "'lsq_plus'"});
  expect_refused({request("lsq"), request("binary"), {}}, {"quantizer of activations", "'binary'"});
  expect_refused(with_rule({"c1.v", "*", {}, request("lsq")}), {"rule 2", "'c1.v'", "did you mean 'c1.w'?"});
  expect_refused(with_rule({"layer4*", "*", {}, request("lsq")}), {"rule 2", "'layer4*'"});
  expect_refused(with_rule({"*", "Conf", {}, request("lsq")}), {"rule 2", "'Conf'", "did you mean 'Conv'?"});
  expect_refused(with_rule({"c1.w", "Gemm", {}, request("lsq")}), {"rule 2", "'c1.w'", "'Gemm'"});
  EXPECT_NO_THROW(methods(with_rule({"*", "ConvTranspose", {}, request("lsq")})));
}

TEST(QuantizerChoice, NamesTheTensorThatAMethodCantTrain) {
  expect_refused(with_rule({"fc.w", "*", {}, request("codebook")}), {"fc.w", "Gemm", "'codebook'", "listed numbers"});
  expect_refused(with_rule({"r1", "*", {}, request("lsq:start=mean")}), {"activation 'r1'", "'lsq'"});
  expect_refused(with_rule({"fc.w", "*", {}, request("lsq:begin=mean")}), {"fc.w", "begin"});
}

}  // namespace
}  // namespace halftone::train::quantizer_choice_test
