#include "halftone/calibrate/calibration_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "halftone/base/error.h"
#include "halftone/base/rng.h"
#include "halftone/calibrate/domain_check.h"
#include "halftone/calibrate/quantize_model.h"
#include "halftone/transform/pass.h"

namespace halftone::calibration_table_test {
namespace {

Tensor random_tensor(Shape shape, uint64_t seed, float shift = 0) {
  Tensor tensor(DType::Float, std::move(shape));
  Rng rng(seed);
  for (float& v : tensor.mutable_data<float>()) v = static_cast<float>(rng.normal()) + shift;
  return tensor;
}

// x - MaxPool - pooled - Flatten - flat, of which the first two have the same channels.
struct Movers {
  Movers() {
    x = graph.add_value("x", {DType::Float, std::vector<Dim>{Dim("N"), 6, 4, 4}});
    graph.inputs() = {x};
    pooled = node("MaxPool", "pooled", x);
    graph.nodes().back().set_attribute("kernel_shape", std::vector<int64_t>{2, 2});
    flat = node("Flatten", "flat", pooled);
    turned = node("Transpose", "turned", pooled);
    graph.nodes().back().set_attribute("perm", std::vector<int64_t>{1, 0, 2, 3});
  }
  ValueId node(const char* op, const char* name, ValueId input) {
    Node made{name, op, "", {input}, {graph.add_value(name)}, {}, {}, {}};
    graph.nodes().push_back(made);
    return made.outputs[0];
  }
  QuantPlan plan(std::vector<ValueId> values, Granularity granularity, int64_t group_size = 0) const {
    QuantPlan plan;
    plan.groups.push_back({std::move(values), {x}, {}});
    plan.groups[0].spec.granularity = granularity;
    plan.groups[0].spec.group_size = group_size;
    return plan;
  }
  Graph graph;
  ValueId x, pooled, flat, turned;
};

TEST(RangeCounts, ByChannelWhereAllValuesHaveTheSame) {
  const Movers net;
  using enum Granularity;
  EXPECT_EQ(range_counts(net.graph, net.plan({net.x, net.pooled}, PerTensor)), std::vector<int64_t>{1});
  EXPECT_EQ(range_counts(net.graph, net.plan({net.x, net.pooled}, PerChannel)), std::vector<int64_t>{6});
  EXPECT_EQ(range_counts(net.graph, net.plan({net.x, net.pooled}, PerGroup, 4)), std::vector<int64_t>{6});
  EXPECT_EQ(range_counts(net.graph, net.plan({net.x, net.pooled, net.flat}, PerChannel)), std::vector<int64_t>{1});
  EXPECT_EQ(range_counts(net.graph, net.plan({net.pooled, net.turned}, PerChannel)), std::vector<int64_t>{1});
}

TEST(CalibrationTable, RangesByChannelAndByGroupOfChannels) {
  const Movers net;
  const std::vector<Tensor> batches = {random_tensor({2, 6, 4, 4}, 1), random_tensor({1, 6, 4, 4}, 2),
                                       random_tensor({3, 6, 4, 4}, 3)};
  for (const int64_t each : {1, 2, 4}) {
    const QuantPlan plan = net.plan({net.x}, each == 1 ? Granularity::PerChannel : Granularity::PerGroup, each);
    const std::vector<int64_t> counts = range_counts(net.graph, plan);
    CalibrationTable first(plan, counts), second(plan, counts);
    first.observe(0, "x", batches[0]);
    second.observe(0, "x", batches[1]);
    second.observe(0, "x", batches[2]);
    first.merge(second);
    const std::vector<ChannelRanges> ranges = first.ranges();
    ASSERT_EQ(ranges[0].size(), 6U);
    for (int64_t c = 0; c < 6; ++c) {
      Range expected;
      for (const Tensor& batch : batches) {
        for (int64_t i = 0; i < batch.size(); ++i) {
          if (i / 16 % 6 / each != c / each) continue;
          const float v = batch.data<float>()[static_cast<size_t>(i)];
          expected = {std::min(expected.low, v), std::max(expected.high, v)};
        }
      }
      EXPECT_EQ(ranges[0][static_cast<size_t>(c)], expected) << c << " of groups of " << each;
    }
  }
}

// BatchNormalization of the input, Relu, and a convolution that gives both a reason to have grids.
Graph normalized_network() {
  Graph graph;
  const auto constant = [&](const char* name, Shape shape, std::vector<float> values) {
    return graph.add_constant(name, Tensor::from(std::move(shape), values));
  };
  const auto node = [&](const char* op, const char* name, std::vector<ValueId> inputs) {
    Node made{name, op, "", std::move(inputs), {graph.add_value(name)}, {}, {}, {}};
    graph.nodes().push_back(made);
    return made.outputs[0];
  };
  const ValueId x = graph.add_value("x", {DType::Float, std::vector<Dim>{Dim("N"), 2, 4, 4}});
  graph.inputs() = {x};
  const ValueId conv = node("Conv", "conv", {x, constant("w", {2, 2, 1, 1}, {1, 0.5F, -0.25F, 1})});
  const ValueId norm = node("BatchNormalization", "norm",
                            {conv, constant("gamma", {2}, {2, -0.5F}), constant("beta", {2}, {-1, 3}),
                             constant("mean", {2}, {0, 0}), constant("var", {2}, {1.25F, 1.0625F})});
  const ValueId relu = node("Relu", "relu", {norm});
  graph.outputs() = {node("Conv", "last", {relu, constant("w2", {1, 2, 1, 1}, {1, -1})})};
  return graph;
}

// Normal numbers of the given mean and deviation.
class Normals final : public data::Dataset {
 public:
  Normals(int64_t count, float mean, float deviation) : count_(count), mean_(mean), deviation_(deviation) {}
  std::optional<int64_t> size() const override { return count_; }
  std::optional<data::Record> next() override {
    if (next_ == count_) return std::nullopt;
    const int64_t i = next_++;
    return data::Record{std::to_string(i), [i, mean = mean_, deviation = deviation_] {
                          data::Sample made;
                          made.id = std::to_string(i);
                          Tensor x = random_tensor({1, 2, 4, 4}, static_cast<uint64_t>(i));
                          for (float& v : x.mutable_data<float>()) v = mean + deviation * v;
                          made.tensors["x"] = std::move(x);
                          return made;
                        }};
  }
  void rewind() override { next_ = 0; }

 private:
  int64_t count_, next_ = 0;
  float mean_, deviation_;
};

class Notes final : public ProgressSink {
 public:
  void begin(std::string_view, int64_t, std::string_view) override {}
  void advance(int64_t) override {}
  void end() override {}
  void note(std::string_view text) override { notes.emplace_back(text); }
  std::vector<std::string> notes;
};

std::unique_ptr<data::Loader> load(int64_t count, float mean, float deviation) {
  return std::make_unique<data::Loader>(std::make_unique<Normals>(count, mean, deviation), std::nullopt,
                                        std::vector<data::InputPort>{{"x", DType::Float, {-1, 2, 4, 4}}});
}

TEST(Calibrate, BatchNormalizationGivesRangesWithoutData) {
  Recipe recipe;
  recipe.activations.observer = "batch_norm:3";
  ThreadTeam team(2);
  Notes notes;
  const Graph graph = normalized_network();
  const ValueMoments moments = propagate_moments(graph, collect_norm_statistics(graph), {{"x", Range{-2.5F, 2.5F}}});
  const Quantization made = quantize_simplified(graph, nullptr, recipe, team, notes, moments);
  EXPECT_EQ(made.samples, 0);
  EXPECT_FLOAT_EQ(made.model.encodings.at("x").params.scale[0], 5.0F / 255);
  // Channels reach -1 + 3 * 2 and 3 + 3 * 0.5.
  EXPECT_FLOAT_EQ(made.model.encodings.at("relu").params.scale[0], 5.0F / 255);
  EXPECT_EQ(made.model.encodings.at("relu").params.zero_point[0], 0);
  try {
    quantize_simplified(graph, nullptr, recipe, team, notes, propagate_moments(graph, {}, {}));
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::Unsupported);
    EXPECT_NE(std::string(error.what()).find("requires batch normalization"), std::string::npos) << error.what();
  }
  recipe.activations.observer = "min_max";
  EXPECT_THROW(quantize_simplified(graph, nullptr, recipe, team, notes, moments), Error);
}

TEST(Calibrate, DataOfAnotherDomainAreRemarkedUpon) {
  struct Case {
    int64_t samples;
    float mean, deviation;
    bool remark;
  };
  for (const Case& c : {Case{300, 0, 1, false}, {1, 0, 1, false}, {300, 5, 1, true}, {1, -4, 0, true}}) {
    Notes notes;
    QuantizeOptions options;
    options.progress = &notes;
    const auto loader = load(c.samples, c.mean, c.deviation);
    quantize_model(normalized_network(), *loader, options);
    EXPECT_EQ(notes.notes.size(), c.remark ? 1U : 0U) << c.samples << " samples of mean " << c.mean;
    for (const std::string& note : notes.notes) EXPECT_NE(note.find("unlike"), std::string::npos) << note;
  }
}

TEST(Calibrate, WithoutBatchNormalizationNothingIsKnownOfTheDomain) {
  Notes notes;
  ThreadTeam team(2);
  const Graph simple = transform::simplify(normalized_network());
  const ValueMoments moments = propagate_moments(simple, {}, {{"x", Range{-9, 9}}});
  ASSERT_TRUE(moments.contains("x"));
  const auto loader = load(20, 8, 0.1F);
  quantize_simplified(simple, loader.get(), Recipe(), team, notes, moments);
  EXPECT_TRUE(notes.notes.empty()) << notes.notes.front();
}

TEST(DomainCheck, DeadChannelsAndUnknownValuesSayNothing) {
  const ValueMoments moments = {{"y", {{0, 1}, {-100, 1, 0}, {5, 0}}}};
  DomainCheck check(moments);
  EXPECT_FALSE(check.distance().has_value());
  check.observe("z", random_tensor({1, 3, 4, 4}, 1));
  EXPECT_FALSE(check.distance().has_value());
  Tensor y(DType::Float, {1, 3, 1, 2});
  const std::vector<float> content = {2, 4, 0, 0, 7, 7};
  std::copy(content.begin(), content.end(), y.mutable_data<float>().begin());
  check.observe("y", y);
  DomainCheck other = check.empty_copy();
  other.observe("y", y);
  check.merge(other);
  EXPECT_DOUBLE_EQ(check.distance().value(), 3) << "channel 0 alone varies";
}

}  // namespace
}  // namespace halftone::calibration_table_test
