// The search for what a drop takes, on small networks of two-bit weights. What it says is held against the reference
// interpreter.
#include "halftone/search/max_drop.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "halftone/ptq/test_bench.h"
#include "halftone/sim/interpreter.h"

namespace halftone::search::max_drop_test {
namespace {

using ptq::test::random_tensor;

constexpr int kLayers = 9;
constexpr int kClasses = 5;

Graph perceptron(uint64_t seed) {
  ptq::test::Net net({Dim("N"), 8});
  std::string x = "x";
  for (int i = 0; i < kLayers; ++i) {
    const std::string name = "layer" + std::to_string(i);
    const int64_t inputs = i == 0 ? 8 : 12, outputs = i == kLayers - 1 ? kClasses : 12;
    net.layer("Gemm", name, x, random_tensor({inputs, outputs}, 100 * seed + static_cast<uint64_t>(i), 0.4),
              random_tensor({outputs}, 100 * seed + 50 + static_cast<uint64_t>(i), 0.3));
    if (i < kLayers - 1) net.add("Relu", name + "_relu", {name});
    x = i < kLayers - 1 ? name + "_relu" : name;
  }
  return net.finish(x);
}

int64_t answer(const QuantizedModel& model, const Tensor& x) {
  const std::string output = model.graph.value(model.graph.outputs().front()).name;
  const TensorMap outputs = sim::Interpreter(model).run({{"x", x}});
  const auto scores = outputs.at(output).data<float>();
  return std::max_element(scores.begin(), scores.end()) - scores.begin();
}

// Tensors with labels.
class Labelled final : public data::Dataset {
 public:
  Labelled(std::vector<Tensor> tensors, std::vector<std::optional<int64_t>> labels)
      : tensors_(std::move(tensors)), labels_(std::move(labels)) {}
  std::optional<int64_t> size() const override { return static_cast<int64_t>(tensors_.size()); }
  std::optional<data::Record> next() override {
    if (next_ == tensors_.size()) return std::nullopt;
    data::Sample sample;
    sample.id = std::to_string(next_);
    sample.label = labels_[next_];
    sample.tensors["x"] = tensors_[next_++];
    return data::Record{sample.id, [sample] { return sample; }};
  }
  void rewind() override { next_ = 0; }

 private:
  std::vector<Tensor> tensors_;
  std::vector<std::optional<int64_t>> labels_;
  size_t next_ = 0;
};

struct Case {
  Graph graph;
  std::vector<Tensor> tensors;
  std::vector<std::optional<int64_t>> labels;  // the float network's answers, every seventh a wrong one
  ptq::Samples calibration;

  explicit Case(uint64_t seed)
      : graph(perceptron(seed)),
        tensors(ptq::test::random_samples({1, 8}, 100, 1000 * seed)),
        calibration(ptq::test::samples_of(ptq::test::random_samples({1, 8}, 40, 1000 * seed + 500))) {
    for (size_t i = 0; i < tensors.size(); ++i) {
      labels.emplace_back((answer({graph, {}, {}}, tensors[i]) + (i % 7 == 0 ? 1 : 0)) % kClasses);
    }
  }

  MaxDropResult run(double max_drop, bool by_labels, const std::string& weights = "int2",
                    const std::string& activations = "uint8") {
    const auto validation = [&] {
      auto dataset =
          std::make_unique<Labelled>(tensors, by_labels ? labels : std::vector<std::optional<int64_t>>(tensors.size()));
      return std::make_unique<data::Loader>(std::move(dataset), std::nullopt,
                                            std::vector<data::InputPort>{{"x", DType::Float, {-1, 8}}},
                                            data::LoaderOptions{1, 1, 4});
    };
    const Recipe recipe = make_recipe(weights, activations, "per_tensor", "min_max");
    return keep_accuracy(graph, calibration, validation, {max_drop, {.recipe = recipe, .threads = 2}});
  }

  // The drop by its definition.
  double drop_of(const QuantizedModel& model, bool by_labels) const {
    double before = 0, after = 0;
    for (size_t i = 0; i < tensors.size(); ++i) {
      const int64_t real = answer({graph, {}, {}}, tensors[i]), expected = by_labels ? *labels[i] : real;
      before += real == expected;
      after += answer(model, tensors[i]) == expected;
    }
    return (before - after) / static_cast<double>(tensors.size());
  }
};

TEST(MaxDrop, WhatMeetsItAsItIsNeedsNothingMore) {
  const MaxDropResult result = Case(1).run(0.5, true, "int8");
  EXPECT_TRUE(result.met);
  ASSERT_EQ(result.attempts.size(), 1U);
  EXPECT_TRUE(result.attempts[0].kept);
}

TEST(MaxDrop, TheDropIsThatOfTheResult) {
  for (const bool by_labels : {true, false}) {
    for (const double max_drop : {0.25, 0.0}) {
      Case net(2);
      const MaxDropResult result = net.run(max_drop, by_labels);
      EXPECT_EQ(result.by_labels, by_labels);
      EXPECT_NEAR(result.reference, by_labels ? 0.85 : 1, 1e-12);  // 15 of 100 labels are wrong
      EXPECT_EQ(result.validation_samples, 100);
      EXPECT_NEAR(result.drop, net.drop_of(result.made.model, by_labels), 1e-12);
      EXPECT_EQ(result.met, result.drop <= max_drop);
    }
  }
}

TEST(MaxDrop, OnlyWhatHelpsIsKept) {
  int useless = 0;
  for (uint64_t seed = 1; seed <= 4; ++seed) {
    const MaxDropResult result = Case(seed).run(0.02, false);
    double best = 2;
    for (const Attempt& attempt : result.attempts) {
      if (attempt.kept) {
        EXPECT_LT(attempt.drop, best) << attempt.what;
        best = attempt.drop;
      } else {
        useless += attempt.drop >= best;
      }
    }
    EXPECT_EQ(result.drop, best);
  }
  EXPECT_GT(useless, 0);
}

// "8 bits for 3 layers (...)" -> 3; 0 for anything else.
int layers_with_eight_bits(const Attempt& attempt) {
  int count = 0;
  return std::sscanf(attempt.what.c_str(), "8 bits for %d layer", &count) == 1 ? count : 0;
}

TEST(MaxDrop, AsFewLayersAsItTakes) {
  int between = 0;  // where doubling alone leaves numbers of layers out
  for (uint64_t seed = 3; seed <= 6; ++seed) {
    for (const double max_drop : {0.05, 0.19, 0.3}) {
      const MaxDropResult result = Case(seed).run(max_drop, false);
      for (const Attempt& kept : result.attempts) {
        const int count = layers_with_eight_bits(kept);
        if (!kept.kept || count < 2 || kept.drop > max_drop) continue;
        const auto fewer = std::find_if(result.attempts.begin(), result.attempts.end(),
                                        [&](const Attempt& a) { return layers_with_eight_bits(a) == count - 1; });
        ASSERT_NE(fewer, result.attempts.end()) << kept.what;
        EXPECT_GT(fewer->drop, max_drop);
        between += count >= 3;
      }
    }
  }
  EXPECT_GT(between, 0);
}

TEST(MaxDrop, NothingLosesBits) {
  const MaxDropResult result = Case(3).run(0, false, "int2", "uint10");
  ASSERT_GT(result.attempts.size(), 5U);
  for (const auto& [name, encoding] : result.made.model.encodings) {
    const bool weights = result.made.model.graph.value(result.made.model.graph.find(name)).constant.has_value();
    EXPECT_GE(encoding.spec.bits, weights ? 2 : 10) << name;
  }
}

}  // namespace
}  // namespace halftone::search::max_drop_test
