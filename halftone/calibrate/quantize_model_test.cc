#include "halftone/calibrate/quantize_model.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "halftone/base/error.h"
#include "halftone/base/rng.h"
#include "halftone/quant/observer.h"
#include "halftone/sim/interpreter.h"

namespace halftone::quantize_model_test {
namespace {

Tensor random_tensor(Shape shape, uint64_t seed) {
  Tensor tensor(DType::Float, std::move(shape));
  Rng rng(seed);
  for (float& v : tensor.mutable_data<float>()) v = static_cast<float>(rng.normal());
  return tensor;
}

// Conv (3x3, padded) - Relu - Conv - Add with the Relu - GlobalAveragePool - Flatten - Gemm.
Graph small_network() {
  Graph graph;
  const auto node = [&](const std::string& op, const std::string& name, std::vector<ValueId> inputs) -> Node& {
    Node made{name, op, "", std::move(inputs), {graph.add_value(name + "_out")}, {}, {}, {}};
    graph.nodes().push_back(std::move(made));
    return graph.nodes().back();
  };
  const auto conv = [&](const std::string& name, ValueId x, int64_t in, int64_t out, uint64_t seed) {
    const ValueId w = graph.add_constant(name + "_w", random_tensor({out, in, 3, 3}, seed));
    const ValueId b = graph.add_constant(name + "_b", random_tensor({out}, seed + 1));
    Node& made = node("Conv", name, {x, w, b});
    made.set_attribute("pads", std::vector<int64_t>{1, 1, 1, 1});
    return made.outputs[0];
  };
  const ValueId x = graph.add_value("x", {DType::Float, std::vector<Dim>{Dim("N"), 3, 6, 5}});
  graph.inputs() = {x};
  const ValueId relu = node("Relu", "relu", {conv("conv1", x, 3, 4, 1)}).outputs[0];
  const ValueId sum = node("Add", "sum", {conv("conv2", relu, 4, 4, 3), relu}).outputs[0];
  const ValueId pool = node("GlobalAveragePool", "pool", {sum}).outputs[0];
  const ValueId flat = node("Flatten", "flat", {pool}).outputs[0];
  const ValueId w = graph.add_constant("fc_w", random_tensor({4, 7}, 5));
  graph.outputs() = {node("Gemm", "fc", {flat, w}).outputs[0]};
  return graph;
}

// Random tensors, one per sample; sample `bad` holds a NaN.
class RandomSamples final : public data::Dataset {
 public:
  explicit RandomSamples(int64_t count, int64_t bad = -1) : count_(count), bad_(bad) {}
  std::optional<int64_t> size() const override { return count_; }
  std::optional<data::Record> next() override {
    if (next_ == count_) return std::nullopt;
    const int64_t i = next_++;
    const bool bad = i == bad_;
    return data::Record{std::to_string(i), [i, bad] { return sample(i, bad); }};
  }
  void rewind() override { next_ = 0; }

  static data::Sample sample(int64_t i, bool bad) {
    data::Sample made;
    made.id = std::to_string(i);
    // Every sample has another spread, so that it matters whether one is left out.
    Tensor x = random_tensor({1, 3, 6, 5}, 100 + static_cast<uint64_t>(i));
    for (float& v : x.mutable_data<float>()) v *= static_cast<float>(1 + i % 7);
    if (bad) x.mutable_data<float>()[3] = NAN;
    made.tensors["x"] = std::move(x);
    return made;
  }

 private:
  int64_t count_, bad_, next_ = 0;
};

Quantization quantize_small(int threads, int64_t samples, const std::string& observer, int64_t bad = -1) {
  data::Loader loader(std::make_unique<RandomSamples>(samples, bad), std::nullopt, {{"x", DType::Float, {-1, 3, 6, 5}}},
                      {1, 1, 4});
  QuantizeOptions options;
  options.recipe = make_recipe("int8", "uint8", "per_channel", observer);
  options.threads = threads;
  return quantize_model(small_network(), loader, options);
}

TEST(QuantizeModel, RangesAreThoseThatTheInterpreterSees) {
  const int64_t samples = 21;
  const Quantization result = quantize_small(2, samples, "min_max");
  EXPECT_EQ(result.samples, samples);
  std::map<std::string, Extent, std::less<>> seen;
  const sim::Interpreter interpreter(small_network());
  for (int64_t i = 0; i < samples; ++i) {
    const Tensor x = RandomSamples::sample(i, false).tensors.at("x");
    seen["x"].merge(measure(x.data<float>()));
    interpreter.run({{"x", x}}, [&](std::string_view name, const Tensor& real, const Tensor*) {
      if (real.dtype() == DType::Float) seen[std::string(name)].merge(measure(real.data<float>()));
    });
  }
  int compared = 0;
  for (const char* name : {"x", "relu_out", "conv2_out", "sum_out", "pool_out"}) {
    ASSERT_TRUE(result.model.encodings.contains(name)) << name;
    const QuantParams& params = result.model.encodings.at(name).params;
    const float low = std::min(seen.at(name).min, 0.0F), high = std::max(seen.at(name).max, 0.0F);
    EXPECT_NEAR(params.scale[0], (high - low) / 255, 1e-5F * params.scale[0]) << name;
    ++compared;
  }
  EXPECT_EQ(compared, 5);
  EXPECT_EQ(result.model.encodings.at("flat_out"), result.model.encodings.at("pool_out"));
  EXPECT_FALSE(result.model.encodings.contains("conv1_out"));
  EXPECT_FALSE(result.model.encodings.contains("fc_out"));
}

TEST(QuantizeModel, TheNumberOfThreadsMakesNoDifference) {
  for (const ObserverInfo& info : all_observers()) {
    if (!make_observer(info.name)->needs_data()) continue;
    const Quantization one = quantize_small(1, 50, std::string(info.name));
    for (int threads : {2, 3, 7}) {
      EXPECT_EQ(quantize_small(threads, 50, std::string(info.name)).model.encodings, one.model.encodings)
          << info.name << " with " << threads << " threads";
    }
  }
}

TEST(QuantizeModel, QuantizedAndFloatNetworksAgree) {
  const Quantization result = quantize_small(2, 64, "min_max");
  const sim::Interpreter before(small_network()), after(result.model);
  double signal = 0, noise = 0;
  for (int64_t i = 0; i < 20; ++i) {
    const TensorMap inputs = {{"x", RandomSamples::sample(i, false).tensors.at("x")}};
    const Tensor expected = before.run(inputs).at("fc_out"), found = after.run(inputs).at("fc_out");
    for (size_t k = 0; k < static_cast<size_t>(expected.size()); ++k) {
      const double f = expected.data<float>()[k], q = found.data<float>()[k];
      signal += f * f;
      noise += (f - q) * (f - q);
    }
  }
  EXPECT_GT(10 * std::log10(signal / noise), 25) << "8 bits lose about 6 dB per bit less than 48";
}

TEST(QuantizeModel, NaNInASampleIsAnErrorThatNamesTheValue) {
  try {
    quantize_small(3, 30, "percentile", 17);
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::NumericRange);
    EXPECT_EQ(e.where(), "x");
  }
}

TEST(QuantizeModel, NoSamplesAndNothingToQuantizeAreErrors) {
  try {
    quantize_small(2, 0, "min_max");
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::InvalidData);
  }
  Graph graph;
  graph.inputs() = {graph.add_value("x", {DType::Float, std::vector<Dim>{Dim("N"), 4}})};
  Node soft{"soft", "Softmax", "", {graph.inputs()[0]}, {graph.add_value("y")}, {}, {}, {}};
  graph.nodes().push_back(soft);
  graph.outputs() = soft.outputs;
  data::Loader loader(std::make_unique<RandomSamples>(3), std::nullopt, {{"x", DType::Float, {-1, 4}}});
  try {
    quantize_model(graph, loader);
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::Unsupported);
    EXPECT_NE(std::string(e.what()).find("Softmax"), std::string::npos) << e.what();
  }
}

// Remembers what it was told.
class Notes final : public ProgressSink {
 public:
  void begin(std::string_view, int64_t, std::string_view) override {}
  void advance(int64_t done) override { largest = std::max(largest, done); }
  void end() override {}
  void note(std::string_view text) override { notes.emplace_back(text); }
  int64_t largest = 0;
  std::vector<std::string> notes;
};

TEST(QuantizeModel, RulesThatDecideNothingAreRemarkedUpon) {
  data::Loader loader(std::make_unique<RandomSamples>(9), std::nullopt, {{"x", DType::Float, {-1, 3, 6, 5}}});
  Notes notes;
  QuantizeOptions options;
  options.recipe = Recipe::from_json(R"({"rules": [{"match": {"name": "cnov1"}, "keep": "float"},
                                                   {"match": {"name": "conv2"}, "keep": "float"}]})",
                                     "r.json");
  options.progress = &notes;
  const QuantizedModel model = quantize_model(small_network(), loader, options).model;
  ASSERT_EQ(notes.notes.size(), 1U);
  EXPECT_NE(notes.notes[0].find("rule 1"), std::string::npos);
  EXPECT_EQ(notes.largest, 9);
  EXPECT_FALSE(model.encodings.contains("conv2_w"));
  EXPECT_TRUE(model.float_reasons.contains("conv2"));
}

TEST(QuantizeDynamic, NeedsAMatrixProduct) {
  const QuantizedModel model = quantize_dynamic(small_network(), Recipe(), DynamicRange::PerRow);
  EXPECT_EQ(model.dynamic, (DynamicProducts{{"fc_out", DynamicRange::PerRow}}));
  Graph convolutions = small_network();
  convolutions.outputs() = {convolutions.find("pool_out")};
  convolutions.remove_dead();
  try {
    quantize_dynamic(convolutions, Recipe(), DynamicRange::PerTensor);
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::Unsupported);
    EXPECT_NE(std::string(error.what()).find("other layers need data"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace halftone::quantize_model_test
