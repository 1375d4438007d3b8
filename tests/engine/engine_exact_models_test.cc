// The engine gives the interpreter's codes on every shared model, quantized in several ways: at the size that the model
// is made for, and at an odd one where it takes that; batches of 1 and 5; 1, 2 and 3 threads.
#include <gtest/gtest.h>

#include "halftone/graph/op_table.h"
#include "halftone/onnx/onnx.h"
#include "tests/engine/exact_values.h"
#include "tests/support/noise.h"
#include "tests/support/testdata.h"

namespace halftone {
namespace {

using test::noise;

struct Way {
  std::string name;
  std::string weights, activations, granularity;
};

const std::vector<Way>& ways() {
  static const std::vector<Way> all = {{"Usual", "int8", "uint8", "per_channel"},
                                       {"SignedPerTensor", "int8", "int8", "per_tensor"},
                                       {"FourBitWeights", "int4", "uint8", "per_channel"}};
  return all;
}

struct Model {
  Graph graph;
  std::string input;
  Shape shape;  // of one sample
  bool any_batch = true;
};

// The model for images of `rows` x `columns`, or as it is (0). nullopt where it has one size only.
std::optional<Model> load(const std::filesystem::path& path, int64_t rows, int64_t columns) {
  Model model{onnx::import_model(path), "", {}, true};
  const ValueId input = model.graph.required_inputs().at(0);
  Value& value = model.graph.value(input);
  model.input = value.name;
  for (const Dim& dim : *value.type.shape) model.shape.push_back(dim.known() ? dim.value : 1);
  model.any_batch = !(*value.type.shape)[0].known();
  if (rows == 0) return model;
  const bool channels_last = model.shape[3] == 3;
  const size_t first = channels_last ? 1 : 2;
  model.shape[first] = rows;
  model.shape[first + 1] = columns;
  for (ValueId id : model.graph.live_values()) {
    if (!model.graph.value(id).constant) model.graph.value(id).type.shape.reset();
  }
  value.type.shape = to_dims(model.shape);
  if (model.any_batch) (*value.type.shape)[0] = Dim("N");
  try {
    infer_shapes(model.graph);
    static_cast<void>(Session(model.graph).run({{model.input, noise(model.shape, 1)}}));
  } catch (const Error&) {
    return std::nullopt;
  }
  return model;
}

QuantizedModel quantize(const Model& model, const Way& way) {
  return test::quantize_on_noise(model.graph, model.input, model.shape,
                                 make_recipe(way.weights, way.activations, way.granularity, "min_max"), 2);
}

void expect_exact(const Model& model, const QuantizedModel& quantized, RequantizeMode mode, int64_t batch,
                  const std::vector<int>& threads) {
  Shape shape = model.shape;
  if (model.any_batch) shape[0] = batch;
  const TensorMap inputs = {{model.input, noise(shape, 9)}};
  const std::set<std::string> exact = test::exact_values(quantized, mode);
  const test::Reference reference = test::run_reference(quantized, mode, inputs);
  for (const auto& [name, codes] : reference.codes) EXPECT_TRUE(exact.contains(name)) << name << " is behind floats";
  for (const int count : threads) test::expect_exact(quantized, reference, exact, inputs, mode, count);
}

class ExactModels : public testing::TestWithParam<std::filesystem::path> {};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(ExactModels);

TEST_P(ExactModels, AtTheirSize) {
  const Model model = *load(GetParam(), 0, 0);
  expect_exact(model, quantize(model, ways()[0]), RequantizeMode::Float, 1, {2});
}

TEST_P(ExactModels, InEveryWay) {
  const std::optional<Model> odd = load(GetParam(), 37, 51);
  const Model model = odd ? *odd : *load(GetParam(), 0, 0);
  for (const Way& way : ways()) {
    SCOPED_TRACE(way.name);
    const QuantizedModel quantized = quantize(model, way);
    expect_exact(model, quantized, RequantizeMode::Float, 5, {1, 2});
    expect_exact(model, quantized, RequantizeMode::Dyadic, 1, {1, 3});
  }
}

std::string name_of_model(const testing::TestParamInfo<std::filesystem::path>& info) { return info.param.stem(); }
INSTANTIATE_TEST_SUITE_P(Shared, ExactModels, testing::ValuesIn(test::models_below(test::shared_folder() / "models")),
                         name_of_model);

TEST(ExactModelsSuite, HasModels) {
  if (test::models_below(test::shared_folder() / "models").empty()) {
    GTEST_SKIP() << "no models in " << test::shared_folder() / "models"
                 << ": set HALFTONE_SHARED to the folder of shared models";
  }
}

}  // namespace
}  // namespace halftone
