// The reference interpreter against outputs that the networks' publishers recorded with their own frameworks. The
// models' cards (MODEL.json, "golden") state how far another runtime is from them on the same files, because the
// published weights went through a conversion; the interpreter must be exactly as far.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "halftone/data/npy.h"
#include "halftone/onnx/onnx.h"
#include "halftone/sim/interpreter.h"
#include "tests/support/testdata.h"

namespace halftone {
namespace {

// A network and the pairs of inputs and outputs that it is held against.
struct GoldenCase {
  std::string model;
  std::string golden;
  int pair;
};

void PrintTo(const GoldenCase& test, std::ostream* stream) { *stream << test.model << ' ' << test.pair; }

std::vector<float> softmax(std::vector<float> logits) {
  const float shift = *std::max_element(logits.begin(), logits.end());
  float sum = 0;
  for (float& x : logits) sum += x = std::exp(x - shift);
  for (float& x : logits) x /= sum;
  return logits;
}

size_t argmax(const std::vector<float>& values) {
  return static_cast<size_t>(std::max_element(values.begin(), values.end()) - values.begin());
}

class Golden : public testing::TestWithParam<GoldenCase> {};

TEST_P(Golden, InterpreterIsAsFarFromTheRecordedOutputAsTheCardSays) {
  const auto& [model, golden, pair] = GetParam();
  const std::filesystem::path models = test::shared_folder() / "models";
  if (!std::filesystem::exists(models / (model + ".onnx"))) {
    GTEST_SKIP() << "no " << model << ".onnx in " << models << ": set HALFTONE_SHARED to the folder of shared models";
  }
  std::ifstream file(models / (golden + ".json"));
  const nlohmann::json card = nlohmann::json::parse(file).at("golden");
  const std::string stem = fmt::format("{}_{}", golden, pair);
  const Tensor input = data::load_npy(models / "golden" / (stem + "_input.npy"));
  const std::vector<float> recorded = to_vector<float>(data::load_npy(models / "golden" / (stem + "_output.npy")));

  const sim::Interpreter interpreter(onnx::import_model(models / (model + ".onnx")));
  std::vector<float> output = to_vector<float>(interpreter.run({{"input", input}}).at("logits"));
  if (card.at("compared") == "softmax") output = softmax(std::move(output));

  ASSERT_EQ(output.size(), recorded.size());
  EXPECT_EQ(argmax(output), argmax(recorded));
  float distance = 0;
  for (size_t i = 0; i < output.size(); ++i) distance = std::max(distance, std::abs(output[i] - recorded[i]));
  // The card has three digits.
  const auto stated = card.at("max_abs_diff").at(static_cast<size_t>(pair)).get<float>();
  EXPECT_NEAR(distance, stated, 0.01f * stated);
}

std::vector<GoldenCase> all_cases() {
  std::vector<GoldenCase> cases;
  for (int pair = 0; pair < 3; ++pair) {
    cases.push_back({"mobilenet_v2", "mobilenet_v2", pair});
    cases.push_back({"mobilenet_v2_tfslim", "mobilenet_v2_tfslim", pair});
    // The same network with its batch normalizations unfolded.
    cases.push_back({"mobilenet_v2_tfslim_bn", "mobilenet_v2_tfslim", pair});
  }
  return cases;
}

std::string name_of_case(const testing::TestParamInfo<GoldenCase>& test) {
  return fmt::format("{}_{}", test.param.model, test.param.pair);
}

INSTANTIATE_TEST_SUITE_P(Models, Golden, testing::ValuesIn(all_cases()), name_of_case);

}  // namespace
}  // namespace halftone
