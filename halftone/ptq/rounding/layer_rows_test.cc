#include "halftone/ptq/rounding/layer_rows.h"

#include <gtest/gtest.h>

#include <set>

#include "halftone/ptq/test_bench.h"
#include "halftone/sim/interpreter.h"

namespace halftone::ptq::layer_rows_test {
namespace {

using Ints = std::vector<int64_t>;

struct Case {
  const char* op;
  Shape x, weights;
  std::vector<std::pair<const char*, Ints>> lists = {};
  std::vector<std::pair<const char*, int64_t>> numbers = {};
};

// Whole numbers, so that sums are exact in any order.
Tensor whole_tensor(Shape shape, uint64_t seed) {
  Tensor tensor(DType::Float, std::move(shape));
  Rng rng(seed);
  for (float& v : tensor.mutable_data<float>()) v = static_cast<float>(rng.below(9)) - 4;
  return tensor;
}

// At every position each channel is the product of its weights and the row.
TEST(RowReader, RowsTimesWeightsAreTheLayer) {
  const std::vector<Case> cases = {
      {"Conv", {2, 3, 7}, {4, 3, 3}, {{"pads", {1, 0}}, {"strides", {2}}}},
      {"Conv", {2, 4, 6, 5}, {6, 4, 1, 1}},
      {"Conv", {1, 3, 9, 7}, {5, 3, 3, 2}, {{"pads", {1, 2, 0, 1}}, {"strides", {2, 1}}, {"dilations", {2, 3}}}},
      {"Conv", {2, 6, 5, 6}, {6, 1, 3, 3}, {{"pads", {1, 1, 1, 1}}}, {{"group", 6}}},
      {"Conv", {1, 3, 5, 6}, {6, 1, 3, 3}, {{"strides", {2, 2}}}, {{"group", 3}}},
      {"Conv", {1, 8, 4, 4}, {6, 4, 3, 3}, {{"pads", {1, 1, 1, 1}}}, {{"group", 2}}},
      {"Conv", {1, 2, 3, 4, 3}, {3, 2, 2, 3, 2}, {{"pads", {1, 1, 0, 0, 1, 1}}}},
      {"ConvTranspose", {2, 3, 4, 5}, {3, 4, 3, 3}, {{"strides", {2, 2}}, {"pads", {1, 0, 1, 1}}}},
      {"ConvTranspose", {1, 6, 3, 4}, {6, 2, 2, 3}, {{"strides", {3, 1}}, {"dilations", {1, 2}}}, {{"group", 3}}},
      {"ConvTranspose", {1, 2, 5}, {2, 3, 4}, {{"strides", {2}}, {"output_padding", {1}}}},
      {"Gemm", {5, 7}, {7, 4}},
      {"Gemm", {5, 7}, {4, 7}, {}, {{"transB", 1}}},
      {"MatMul", {2, 3, 7}, {7, 4}},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(std::string(c.op) + " " + to_string(c.x) + " " + to_string(c.weights));
    test::Net net({c.x.begin(), c.x.end()});
    Node& node = net.layer(c.op, "y", "x", whole_tensor(c.weights, 1));
    for (const auto& [name, list] : c.lists) node.set_attribute(name, list);
    for (const auto& [name, number] : c.numbers) node.set_attribute(name, number);
    const Graph& graph = net.finish("y");
    const Tensor x = whole_tensor(c.x, 2);
    const Tensor& weights = *graph.value(graph.find("y_w")).constant;
    const Tensor y = sim::compute({graph, node, graph.opset(), {&x, &weights}}).at(0);

    const auto layout = transform::weight_layout(node, weights.shape());
    ASSERT_TRUE(layout.has_value());
    const LayerShape shape = layer_shape(*layout);
    const RowReader reader(graph, node, shape, x.shape());
    reader.check_targets(y.shape());
    ASSERT_EQ(reader.positions() * shape.groups * shape.channels, y.size());
    std::vector<float> row(static_cast<size_t>(shape.groups * shape.features));
    std::vector<float> targets(static_cast<size_t>(shape.groups * shape.channels));
    for (int64_t p = 0; p < reader.positions(); ++p) {
      reader.read_inputs(x.data<float>().data(), p, row.data());
      reader.read_targets(y.data<float>().data(), p, targets.data());
      for (int64_t out = 0; out < shape.groups * shape.channels; ++out) {
        float sum = 0;
        for (int64_t f = 0; f < shape.features; ++f) {
          sum += row[static_cast<size_t>(out / shape.channels * shape.features + f)] *
                 weights.data<float>()[static_cast<size_t>(shape.weight_offset(out, f))];
        }
        EXPECT_EQ(sum, targets[static_cast<size_t>(out)]) << p << " " << out;
      }
    }
  }
}

TEST(RowReader, EachWeightBelongsToOneFeatureOfOneChannel) {
  for (const transform::WeightLayout& layout :
       {transform::WeightLayout{6, 4, 9, 2, true}, transform::WeightLayout{6, 4, 9, 3, false},
        transform::WeightLayout{5, 7, 1, 1, false}}) {
    const LayerShape shape = layer_shape(layout);
    std::set<int64_t> offsets;
    for (int64_t c = 0; c < shape.groups * shape.channels; ++c) {
      for (int64_t f = 0; f < shape.features; ++f) offsets.insert(shape.weight_offset(c, f));
    }
    EXPECT_EQ(static_cast<int64_t>(offsets.size()), layout.rows * layout.columns * layout.inner);
    EXPECT_EQ(*offsets.rbegin(), layout.rows * layout.columns * layout.inner - 1);
  }
}

TEST(ChoosePositions, SpreadSeededAndAllWhereThereAreFew) {
  EXPECT_EQ(choose_positions(3, 5, 1, 2), (Ints{0, 1, 2}));
  EXPECT_EQ(choose_positions(0, 5, 1, 2), Ints{});
  const Ints chosen = choose_positions(1000, 10, 1, 2);
  EXPECT_EQ(chosen, choose_positions(1000, 10, 1, 2));
  EXPECT_NE(chosen, choose_positions(1000, 10, 1, 3));
  for (size_t i = 0; i < 10; ++i) EXPECT_EQ(chosen[i] / 100, static_cast<int64_t>(i));
}

}  // namespace
}  // namespace halftone::ptq::layer_rows_test
