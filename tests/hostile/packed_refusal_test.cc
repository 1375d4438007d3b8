// Damaged bit planes, levels and joined channels (halftone.UnpackBits, halftone.DequantizeLevels), and the words that
// must say what is wrong.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <ostream>

#include "halftone/graph/op_table.h"
#include "halftone/onnx/onnx.h"
#include "halftone/tensor/packing.h"
#include "halftone/transform/fold_qdq.h"
#include "halftone/transform/insert_qdq.h"
#include "tests/support/onnx_text.h"
#include "tests/support/quantized_net.h"

namespace halftone {
namespace {

// A file whose constant w [4, 6] is on the grid.
Graph file_of(const QuantParams& params) {
  test::NetBuilder net;
  Rng rng(1);
  const ValueId w = net.constant("w", {4, 6}, test::random_floats(rng, 24, -1, 1), params);
  net.output(net.node("Add", {net.input("x", {1}), w}, "y"));
  Graph file = insert_qdq(net.model);
  // The declared shape would contradict damage before anybody looks at the codes.
  file.value(file.find("y")).type.shape.reset();
  return file;
}
Graph three_bits() { return file_of({DType::Int4, -4, 3, {0.1F, 0.2F, 0.3F, 0.4F}, {0, 1, 2, 3}, 0, 0}); }
Graph by_levels() { return file_of({DType::UInt4, 0, 4, {1}, {0}, -1, 0, {-1, -0.5F, 0, 0.25F, 1}}); }
Graph by_channel() {
  return file_of({DType::Int8, -127, 127, {0.1F, 0.2F, 0.3F, 0.4F}, {0, 0, 0, 0}, 0, 0, {}, {3, 0, 8, 3}});
}

void load(const Graph& file) {
  const std::string bytes = onnx::serialize_model(file);
  Graph graph = onnx::import_model(test::as_span(bytes));
  verify(graph);
  infer_shapes(graph);
  fold_qdq(std::move(graph));
}

struct Case {
  std::string name;
  Graph (*file)();
  std::function<void(Graph&)> damage;
  std::vector<std::string> words;
};

void PrintTo(const Case& refused, std::ostream* out) { *out << refused.name; }

// Another content for a constant.
std::function<void(Graph&)> put(const std::string& name, const Tensor& content) {
  return [=](Graph& graph) {
    const ValueId id = graph.find(name);
    ASSERT_NE(id, ValueId::None) << name;
    graph.value(id).constant = content;
    graph.value(id).type = {content.dtype(), to_dims(content.shape())};
  };
}
Tensor planes(int64_t bits, int64_t bytes) { return Tensor(DType::UInt8, {bits, bytes}); }
Tensor int64s(const std::vector<int64_t>& content) {
  return Tensor::from<int64_t>({static_cast<int64_t>(content.size())}, content);
}
Tensor floats(const std::vector<float>& content) {
  return Tensor::from<float>({static_cast<int64_t>(content.size())}, content);
}
Tensor positions(const std::vector<int32_t>& content) {
  return Tensor::from<int32_t>({static_cast<int64_t>(content.size())}, content);
}

std::vector<Case> refused() {
  const std::string unpack = "UnpackBits 'w_UnpackBits'", levels = "DequantizeLevels 'w_DequantizeLevels'";
  const std::string gather = "Gather 'w_Gather'", dequantize = "DequantizeLinear 'w_DequantizeLinear'";
  const int64_t most = std::numeric_limits<int64_t>::max();
  const float inf = std::numeric_limits<float>::infinity();
  return {
      // --- planes
      {"no_planes", three_bits, put("w_planes", planes(0, 3)), {unpack, "1 to 8 planes", "found 0"}},
      {"nine_planes_of_bytes", three_bits, put("w_planes", planes(9, 3)), {unpack, "1 to 8 planes", "found 9"}},
      {"four_planes_above_the_type",
       three_bits,
       put("w_low", pack_integers(DType::Int8, {}, std::vector<int32_t>{121})),
       {unpack, "3 bits from 121", "int8"}},
      {"planes_too_short", three_bits, put("w_planes", planes(3, 2)), {unpack, "3 bytes", "found 2"}},
      {"planes_too_long", three_bits, put("w_planes", planes(3, 4)), {unpack, "3 bytes", "found 4"}},
      {"planes_in_a_row", three_bits, put("w_planes", Tensor(DType::UInt8, {9})), {unpack, "uint8[bits, bytes]"}},
      {"planes_of_signed_bytes", three_bits, put("w_planes", Tensor(DType::Int8, {3, 3})), {unpack, "int8"}},
      {"lowest_code_of_32_bits",
       three_bits,
       put("w_low", Tensor::scalar<int32_t>(-4)),
       {unpack, "lowest code", "found int32"}},
      {"two_lowest_codes", three_bits, put("w_low", Tensor(DType::Int8, {2})), {unpack, "one lowest code", "found 2"}},
      {"huge_tensor_of_few_bytes",
       three_bits,
       put("w_shape", int64s({int64_t{1} << 40, 6})),
       {unpack, "bytes in each plane, found 3"}},
      {"shape_that_overflows", three_bits, put("w_shape", int64s({most, 6})), {unpack, "must be one of a tensor"}},
      {"shape_that_overflows_behind_nothing",
       three_bits,
       put("w_shape", int64s({0, most, most})),
       {unpack, "must be one of a tensor"}},
      {"negative_dimension", three_bits, put("w_shape", int64s({-4, -6})), {unpack, "must be one of a tensor"}},
      {"shape_of_floats", three_bits, put("w_shape", floats({4, 6})), {unpack, "int64 list", "float"}},
      {"another_shape_than_the_scales", three_bits, put("w_shape", int64s({6, 4})), {dequantize, "6", "4"}},
      {"zero_points_of_another_sign",
       three_bits,
       put("w_zero_point", Tensor(DType::UInt8, {4})),
       {dequantize, "int8", "uint8"}},

      // --- levels
      {"level_that_is_nan",
       by_levels,
       put("w_levels", floats({-1, NAN, 0, 1, 2})),
       {levels, "'w_levels'", "finite and ascend", "index 1"}},
      {"level_that_is_infinite", by_levels, put("w_levels", floats({-1, 0, 1, 2, inf})), {levels, "found inf"}},
      {"levels_that_descend",
       by_levels,
       put("w_levels", floats({-1, 0, -0.5F, 1, 2})),
       {levels, "finite and ascend", "found -0.5 at index 2"}},
      {"fewer_levels_than_codes", by_levels, put("w_levels", floats({-1, 0, 1})), {levels, "as many", "found 3"}},
      {"one_level", by_levels, put("w_levels", floats({1})), {levels, "2 to 65536", "found 1"}},
      {"no_levels", by_levels, put("w_levels", floats({})), {levels, "2 to 65536", "found 0"}},
      {"levels_of_other_channels", by_levels, put("w_levels", Tensor(DType::Float, {3, 5})), {levels, "axis 0"}},
      {"levels_in_a_cube", by_levels, put("w_levels", Tensor(DType::Float, {1, 1, 5})), {levels, "[1, 1, 5]"}},
      {"levels_that_are_whole", by_levels, put("w_levels", Tensor(DType::Int64, {5})), {levels, "float list", "int64"}},
      {"scale_that_is_zero", by_levels, put("w_scale", Tensor::scalar(0.0F)), {levels, "'w_scale'", "positive"}},
      {"scales_too_many", by_levels, put("w_scale", floats({1, 1, 1})), {levels, "requires 4 scales", "found 3"}},
      {"axis_of_levels_outside",
       by_levels,
       [](Graph& graph) {
         put("w_scale", floats({1, 1, 1, 1}))(graph);
         put("w_axis", Tensor::scalar<int64_t>(2))(graph);
       },
       {"axis", "2"}},
      {"axis_of_levels_that_is_a_float", by_levels, put("w_axis", Tensor::scalar(0.0F)), {levels, "one int64"}},

      // --- channels of several widths
      {"channel_named_twice", by_channel, put("w_order", positions({1, 0, 3, 1})), {gather, "each of 4 channels once"}},
      {"channel_outside", by_channel, put("w_order", positions({1, 0, 3, 4})), {gather, "each of 4 channels once"}},
      {"channel_below", by_channel, put("w_order", positions({1, 0, 3, -1})), {gather, "each of 4 channels once"}},
      {"channels_too_few", by_channel, put("w_order", positions({1, 0, 2})), {dequantize, "found 4 and 3"}},
      {"channels_too_many", by_channel, put("w_order", positions({1, 0, 2, 3, 4})), {dequantize, "found 4 and 5"}},
      {"many_channels_of_nothing", by_channel, put("w_shape", int64s({1 << 30, 6})), {gather, "channels without bits"}},
      {"huge_channel_of_nothing",
       by_channel,
       put("w_shape", int64s({1, int64_t{1} << 50})),
       {gather, "channels without bits"}},
      {"channel_of_nothing_of_another_size", by_channel, put("w_shape", int64s({1, 7})), {gather, "[1, 7]"}},
      {"channel_of_nothing_of_another_rank", by_channel, put("w_shape", int64s({1, 6, 1})), {gather, "[1, 6, 1]"}},
      {"parts_of_several_types",
       by_channel,
       put("w_low", pack_integers(DType::UInt8, {}, std::vector<int32_t>{0})),
       {gather, "width only", "uint8"}},
  };
}

class RefusedPacked : public testing::TestWithParam<Case> {};

TEST_P(RefusedPacked, SaysWhatIsWrongAndWhere) {
  Graph file = GetParam().file();
  GetParam().damage(file);
  try {
    load(file);
    ADD_FAILURE() << "accepted";
  } catch (const Error& error) {
    const std::string message = error.what();
    for (const std::string& word : GetParam().words) EXPECT_NE(message.find(word), std::string::npos) << message;
    EXPECT_EQ(message.find('\n'), std::string::npos);
  }
}

INSTANTIATE_TEST_SUITE_P(Hostile, RefusedPacked, testing::ValuesIn(refused()),
                         [](const auto& test) { return test.param.name; });

TEST(AcceptedPacked, TheFilesThatTheCasesDamage) {
  for (const Graph& file : {three_bits(), by_levels(), by_channel()}) EXPECT_NO_THROW(load(file));
}

// What is no mistake but can't be read stays in the file and is listed.
TEST(AcceptedPacked, PlanesThatTheNetworkComputesStay) {
  Graph file = three_bits();
  const ValueId planes = file.find("w_planes");
  file.value(planes).constant.reset();
  file.value(planes).declared = true;
  file.inputs().push_back(planes);
  const QuantizedModel folded = fold_qdq(file);
  EXPECT_FALSE(folded.quantized());
  EXPECT_EQ(folded.float_reasons.at("w_DequantizeLinear"), "its codes are computed by the network");
  EXPECT_EQ(folded.graph.functions.size(), 1U);
}

}  // namespace
}  // namespace halftone
