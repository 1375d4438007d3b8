// Accuracy and comparison against hand counts, with engines that answer from a table.

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "halftone/base/error.h"
#include "halftone/eval/accuracy.h"
#include "halftone/eval/compare.h"
#include "halftone/eval/inputs.h"

namespace halftone::eval::eval_test {
namespace {

// Samples 0, 1, 2 ... whose input "x" holds their number.
class Numbers final : public data::Dataset {
 public:
  explicit Numbers(std::vector<std::optional<int64_t>> labels) : labels_(std::move(labels)) {}
  std::optional<int64_t> size() const override { return static_cast<int64_t>(labels_.size()); }
  std::optional<data::Record> next() override {
    if (at_ == labels_.size()) return std::nullopt;
    const size_t i = at_++;
    return data::Record{"sample " + std::to_string(i), [i, label = labels_[i]] {
                          data::Sample sample;
                          sample.id = "sample " + std::to_string(i);
                          sample.label = label;
                          sample.tensors["x"] = Tensor::from<float>({1, 1}, std::vector<float>{static_cast<float>(i)});
                          return sample;
                        }};
  }
  void rewind() override { at_ = 0; }

 private:
  std::vector<std::optional<int64_t>> labels_;
  size_t at_ = 0;
};

data::Loader load(std::vector<std::optional<int64_t>> labels, int64_t batch = 1) {
  return data::Loader(std::make_unique<Numbers>(std::move(labels)), std::nullopt, {{"x", DType::Float, {-1, 1}}},
                      {.batch_size = batch, .threads = 2, .queue = 4});
}

// Answers row `x` of a table of scores; shows it as value "layer" too.
class Table final : public Engine {
 public:
  explicit Table(std::vector<std::vector<float>> rows) : rows_(std::move(rows)) {}
  TensorMap run(const TensorMap& inputs, const Tap& tap) const override {
    std::vector<float> scores;
    const Tensor& x = inputs.at("x");
    for (float number : x.data<float>()) {
      const auto& row = rows_.at(static_cast<size_t>(number));
      scores.insert(scores.end(), row.begin(), row.end());
    }
    const Tensor result = Tensor::from<float>({x.size(), static_cast<int64_t>(rows_[0].size())}, scores);
    if (tap) tap("layer", result);
    return {{"y", result}};
  }

 private:
  std::vector<std::vector<float>> rows_;
};

TEST(RankOf, CountsBetterScoresAndEarlierEqualOnes) {
  const std::vector<float> scores = {3, 5, 5, 1, std::numeric_limits<float>::quiet_NaN()};
  EXPECT_EQ(rank_of(scores, 1), 0);
  EXPECT_EQ(rank_of(scores, 2), 1);
  EXPECT_EQ(rank_of(scores, 0), 2);
  EXPECT_EQ(rank_of(scores, 3), 3);
  EXPECT_EQ(rank_of(scores, 4), 4);
}

class Threads : public ::testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Counts, Threads, ::testing::Values(1, 2, 3));

TEST_P(Threads, AccuracyEqualsAHandCount) {
  const Table engine({{9, 1, 2, 3, 4, 5, 6}, {9, 1, 2, 3, 4, 5, 6}, {0, 0, 0, 0, 0, 0, 1}, {1, 2, 3, 4, 5, 6, 7}});
  for (int64_t batch : {1, 3}) {
    auto loader = load({0, 2, 0, 2}, batch);  // ranks 0, 5, 1, 4
    ThreadTeam team(GetParam());
    const Accuracy accuracy = evaluate(engine, "y", loader, team, silent_progress());
    EXPECT_EQ(accuracy.images, 4);
    EXPECT_DOUBLE_EQ(accuracy.top1, 0.25);
    EXPECT_DOUBLE_EQ(accuracy.top5, 0.75);
  }
}

TEST_P(Threads, ComparisonEqualsAHandCount) {
  const Table reference({{1, 2}, {4, 3}, {0, 2}});
  const Table other({{1, 2}, {3, 4}, {0, 1}});
  for (int64_t batch : {1, 2}) {
    auto loader = load({std::nullopt, std::nullopt, std::nullopt}, batch);
    ThreadTeam team(GetParam());
    const Comparison result =
        compare(reference, other, "y", "y", {{"layer", "Gemm", 0}}, loader, team, silent_progress());
    EXPECT_EQ(result.images, 3);
    EXPECT_DOUBLE_EQ(result.agreement, 2.0 / 3);
    const double expected = 10 * std::log10(34.0 / 3.0);
    EXPECT_NEAR(result.sqnr_db, expected, 1e-12);
    ASSERT_EQ(result.layers.size(), 1u);
    EXPECT_NEAR(result.layers[0].sqnr_db, expected, 1e-12);
  }
}

TEST(Evaluate, RefusesMissingAndForeignLabelsAndEmptyData) {
  const Table engine({{1, 2}, {3, 4}});
  ThreadTeam team(1);
  const auto message = [&](std::vector<std::optional<int64_t>> labels) {
    auto loader = load(std::move(labels));
    try {
      evaluate(engine, "y", loader, team, silent_progress());
      return std::string("accepted");
    } catch (const Error& e) {
      return std::string(e.what());
    }
  };
  EXPECT_NE(message({0, std::nullopt}).find("sample 1: accuracy needs a label"), std::string::npos);
  EXPECT_NE(message({0, 2}).find("2 classes, found label 2"), std::string::npos);
  EXPECT_NE(message({}).find("at least one sample"), std::string::npos);
}

TEST(Sqnr, IdenticalIsInfiniteAndNanIsNan) {
  const Tensor a = Tensor::from<float>({2}, std::vector<float>{1, 2});
  Sqnr same;
  same.add(a, a);
  EXPECT_TRUE(std::isinf(same.decibel()));
  Sqnr broken;
  broken.add(a, Tensor::from<float>({2}, std::vector<float>{1, std::nanf("")}));
  EXPECT_TRUE(std::isnan(broken.decibel()));
  EXPECT_THROW(broken.add(a, Tensor(DType::Float, {3})), Error);
}

TEST(InputPorts, NamesWhatMustBeFed) {
  Graph graph;
  TensorType type{DType::Float, std::vector<Dim>{Dim("N"), Dim(3)}};
  graph.inputs() = {graph.add_value("x", type), graph.add_constant("default", Tensor(DType::Float, {2}))};
  const auto ports = input_ports(graph);
  ASSERT_EQ(ports.size(), 1u);
  EXPECT_EQ(ports[0].name, "x");
  EXPECT_EQ(ports[0].shape, (std::vector<int64_t>{-1, 3}));
}

TEST(Inputs, UnknownDimensionsAreTheBatchAndOnes) {
  Graph graph;
  graph.inputs() = {graph.add_value("x", {DType::Float, std::vector<Dim>{Dim("N"), Dim(3), Dim("W")}}),
                    graph.add_value("index", {DType::Int64, std::vector<Dim>{Dim("N")}})};
  EXPECT_EQ(input_shapes(graph, 5).at("x"), (Shape{5, 3, 1}));
  Rng rng(1);
  const TensorMap inputs = random_inputs(graph, 2, rng);
  EXPECT_EQ(inputs.at("index").dtype(), DType::Int64);
  for (const float x : inputs.at("x").data<float>()) EXPECT_LT(std::abs(x), 1.0F);
  for (const int64_t i : inputs.at("index").data<int64_t>()) EXPECT_TRUE(i == 0 || i == 1);
  EXPECT_THROW(input_shapes(graph, 0), Error);

  Graph fixed;
  fixed.inputs() = {fixed.add_value("x", {DType::Float, std::vector<Dim>{Dim(1), Dim(3)}})};
  EXPECT_EQ(input_shapes(fixed, 1).at("x"), (Shape{1, 3}));
  EXPECT_THROW(input_shapes(fixed, 2), Error);
}

TEST(Inputs, ProbesReachTheEndsOfTheGrid) {
  QuantizedModel model;
  model.graph.inputs() = {model.graph.add_value("x", {DType::Float, std::vector<Dim>{Dim(1), Dim(50)}})};
  model.encodings["x"] = {{DType::UInt8, 0, 255, {0.5F}, {10}, -1, 0}, {}};
  const auto x = [&](int64_t number) { return to_vector<float>(probing_inputs(model, 1, number).at("x")); };
  EXPECT_EQ(x(1), std::vector<float>(50, 122.5F));
  EXPECT_EQ(x(2), std::vector<float>(50, -5.0F));
  EXPECT_EQ(x(5), std::vector<float>(50, 0.0F));
  EXPECT_NE(x(0), x(6));
  for (const float value : x(3)) EXPECT_TRUE(value == -5.0F || value == 122.5F);
}

TEST(EngineKind, SuggestsTheNearestWord) {
  EXPECT_EQ(parse_engine_kind("reference"), EngineKind::Reference);
  try {
    parse_engine_kind("referense");
    FAIL();
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("did you mean 'reference'"), std::string::npos);
  }
}

}  // namespace
}  // namespace halftone::eval::eval_test
