// Codes in bit planes: what the functions in files compute, and the trip to a file and back.
#include <cmath>

#include "halftone/onnx/onnx.h"
#include "halftone/transform/insert_qdq.h"
#include "halftone/transform/packed_codes.h"
#include "halftone/transform/packed_ops.h"
#include "halftone/transform/qdq_test_nets.h"

namespace halftone {
namespace {

using namespace test;

const Function* find_function(const Graph& graph, std::string_view name) {
  for (const Function& function : graph.functions) {
    if (function.domain == kPackedDomain && function.name == name) return &function;
  }
  return nullptr;
}

// What another runtime computes: nodes one by one, calls by running the function's body.
Tensor evaluate(const Graph& graph, ValueId id) {
  if (graph.value(id).constant) return *graph.value(id).constant;
  const GraphIndex index(graph);
  const Node& node = graph.nodes()[static_cast<size_t>(index.producer(id))];
  Graph single;
  const Function* function = node.domain.empty() ? nullptr : find_function(graph, node.op_type);
  if (function != nullptr) single = *function->body;
  TensorMap inputs;
  Node call = node;
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    if (function == nullptr) {
      // A name of its own for each operand, as one value may stand twice.
      call.inputs[i] = single.add_value(fmt::format("operand{}", i));
      single.inputs().push_back(call.inputs[i]);
    }
    const Tensor content = evaluate(graph, node.inputs[i]);
    const ValueId input = single.inputs()[i];
    single.value(input).type = {content.dtype(), to_dims(content.shape())};
    inputs[single.value(input).name] = content;
  }
  if (function == nullptr) {
    single.opset_imports = graph.opset_imports;
    call.outputs = {single.add_value("result")};
    single.outputs() = call.outputs;
    single.nodes().push_back(call);
  }
  return sim::Interpreter(single).run(inputs).begin()->second;
}

// A network that shows a constant and nothing else.
QuantizedModel shown(const Shape& shape, const std::vector<float>& content, const QuantParams& params) {
  NetBuilder net;
  const ValueId w = net.constant("w", shape, content, params);
  net.output(net.node("Add", {net.input("x", {1}), w}, "y"));
  infer_shapes(net.model.graph);
  return net.model;
}

// The file makes of the constant what its grid makes of it; fold gives everything back; a second file is the first.
void expect_exact(const QuantizedModel& model) {
  const Graph file = insert_qdq(model);
  EXPECT_NO_THROW(verify(file));
  const QuantParams& params = model.encodings.at("w").params;
  const Tensor expected = fake_quantize(*model.graph.value(model.graph.find("w")).constant, params);
  EXPECT_TRUE(evaluate(file, file.find("w")).same_as(expected));
  const std::string bytes = onnx::serialize_model(file);
  Graph imported = onnx::import_model(std::as_bytes(std::span(bytes)));
  verify(imported);
  infer_shapes(imported);
  const QuantizedModel back = fold_qdq(std::move(imported));
  EXPECT_EQ(back.encodings, model.encodings);
  EXPECT_EQ(structure(back.graph), structure(model.graph));
  EXPECT_TRUE(back.float_reasons.empty());
  EXPECT_TRUE(back.graph.functions.empty());
  EXPECT_FALSE(back.graph.opset_imports.contains(std::string(kPackedDomain)));
  const ValueId w = back.graph.find("w");
  ASSERT_TRUE(back.graph.value(w).constant.has_value());
  EXPECT_TRUE(back.graph.value(w).constant->same_as(expected));
  EXPECT_TRUE(onnx::serialize_model(insert_qdq(back)) == bytes) << "a second file differs";
  // Without notes it still means the same.
  Graph plain = file;
  plain.metadata.clear();
  const QuantizedModel unnoted = fold_qdq(std::move(plain));
  EXPECT_TRUE(unnoted.graph.value(unnoted.graph.find("w")).constant->same_as(expected));
}

int64_t planes_in(const Graph& graph) {
  int64_t bytes = 0;
  for (ValueId id : graph.live_values()) {
    const Value& value = graph.value(id);
    if (value.name.find("_planes") != std::string::npos) bytes += value.constant->size();
  }
  return bytes;
}

QuantParams affine(int bits, bool is_signed, std::vector<float> scales, int64_t axis = -1) {
  QuantParams params;
  params.dtype = storage_type(bits, is_signed);
  params.q_min = is_signed ? -(int64_t{1} << (bits - 1)) : 0;
  params.q_max = params.q_min + (int64_t{1} << bits) - 1;
  params.scale = std::move(scales);
  for (size_t i = 0; i < params.scale.size(); ++i) {
    params.zero_point.push_back(static_cast<int32_t>(params.q_min + static_cast<int64_t>(i) % (1 << bits)));
  }
  params.axis = axis;
  return params;
}

std::vector<float> all_codes(const QuantParams& params, int64_t count) {
  std::vector<float> values;
  for (int64_t i = 0; i < count; ++i) {
    const int64_t q = params.q_min + i % (params.q_max - params.q_min + 1);
    values.push_back(dequantize(static_cast<int32_t>(q), params.scale[0], params.zero_point[0]));
  }
  return values;
}

TEST(Packed, EveryWidthAndSign) {
  for (int bits = 1; bits <= 16; ++bits) {
    for (const bool is_signed : {false, true}) {
      SCOPED_TRACE(fmt::format("{} {}", bits, is_signed));
      const QuantParams params = affine(bits, is_signed, {0.037F});
      // All codes of narrow types, and a count that leaves bits of the last byte unused.
      const int64_t count = std::min(int64_t{1} << bits, int64_t{1000}) + 3;
      const QuantizedModel model = shown({count}, all_codes(params, count), params);
      expect_exact(model);
      const bool standard = bits == 4 || bits == 8 || bits == 16;
      const Graph file = insert_qdq(model);
      EXPECT_EQ(file.functions.size(), standard ? 0U : 1U);
      EXPECT_EQ(planes_in(file), standard ? 0 : bits * ((count + 7) / 8));
      EXPECT_EQ(file.opset(), bits == 4 || bits > 8 ? 21 : standard ? 13 : 15);
      EXPECT_EQ(stored_bits(params, {count}), bits * count);
    }
  }
}

TEST(Packed, ChannelsBlocksAndNarrowRanges) {
  Rng rng(4);
  for (const int64_t axis : {0, 1, 2, 3}) {
    const Shape shape = {5, 3, 2, 7};
    std::vector<float> scales;
    for (int64_t i = 0; i < shape[static_cast<size_t>(axis)]; ++i) scales.push_back(0.01F * static_cast<float>(i + 1));
    const std::vector<float> content = random_floats(rng, 210, -0.3, 0.3);
    expect_exact(shown(shape, content, affine(3, true, scales, axis)));
    QuantParams narrow = affine(6, true, scales, axis);
    ++narrow.q_min;
    narrow.zero_point.assign(scales.size(), 0);
    expect_exact(shown(shape, content, narrow));
  }
  QuantParams blocks = affine(3, false, random_floats(rng, 12, 0.01, 0.2), 0);
  blocks.block_size = 2;
  expect_exact(shown({5, 4}, random_floats(rng, 20, -0.5, 0.5), blocks));
  // Shapes at the edge: a scalar, no elements, one channel.
  expect_exact(shown({}, {0.05F}, affine(2, true, {0.1F})));
  expect_exact(shown({0, 3}, {}, affine(2, true, {0.1F})));
  expect_exact(shown({1, 3}, {0.05F, -1, 1}, affine(5, true, {0.1F}, 0)));
  // A type that is wider than its codes need.
  expect_exact(shown({3}, {0.05F, -1, 1}, per_tensor(DType::Int8, 0.1F, 1, -4, 3)));
  expect_exact(shown({3}, {0.05F, -1, 1}, per_tensor(DType::UInt16, 0.1F, 5, 2, 9)));
}

QuantParams levelled(std::vector<float> levels, int64_t count, std::vector<float> scales, int64_t axis) {
  QuantParams params;
  params.q_max = count - 1;
  params.dtype = storage_type(code_bits(params), false);
  params.levels = std::move(levels);
  params.zero_point.assign(scales.size(), 0);
  params.scale = std::move(scales);
  params.axis = axis;
  return params;
}

TEST(Packed, Levels) {
  Rng rng(8);
  const std::vector<float> content = random_floats(rng, 5 * 3 * 2 * 7, -1.5, 1.5);
  for (const int64_t count : {2, 3, 4, 5, 16, 17, 200, 256}) {
    SCOPED_TRACE(count);
    for (const int64_t axis : {-1, 0, 1, 3}) {
      const Shape shape = {5, 3, 2, 7};
      const int64_t channels = axis < 0 ? 1 : shape[static_cast<size_t>(axis)];
      const std::vector<float> scales = random_floats(rng, channels, 0.5, 2);
      std::vector<float> shared, own;
      for (int64_t c = 0; c < channels; ++c) {
        std::vector<float> levels = random_floats(rng, count, -1, 1);
        std::sort(levels.begin(), levels.end());
        levels[1] = levels[0];  // two codes of one meaning
        if (c == 0) shared = levels;
        own.insert(own.end(), levels.begin(), levels.end());
      }
      expect_exact(shown(shape, content, levelled(shared, count, scales, axis)));
      expect_exact(shown(shape, content, levelled(own, count, scales, axis)));
      const Graph file = insert_qdq(shown(shape, content, levelled(own, count, scales, axis)));
      EXPECT_EQ(file.functions.size(), 2U);
      EXPECT_EQ(planes_in(file), static_cast<int64_t>(std::ceil(std::log2(count))) * 27);
    }
  }
}

TEST(Packed, ChannelsOfDifferentWidths) {
  Rng rng(9);
  for (const bool is_signed : {true, false}) {
    for (const int64_t axis : {0, 1, 2}) {
      for (const std::vector<int8_t>& widths : std::vector<std::vector<int8_t>>{{3, 0, 8, 5, 3, 1, 2},
                                                                                {0, 0, 4, 4, 0, 4, 4},
                                                                                {8, 7, 6, 5, 4, 3, 2},
                                                                                {5, 5, 5, 5, 5, 5, 5},
                                                                                {0, 0, 0, 0, 0, 0, 0}}) {
        SCOPED_TRACE(fmt::format("{} {} {}", is_signed, axis, widths[0]));
        Shape shape = {4, 3, 5};
        shape[static_cast<size_t>(axis)] = 7;
        QuantParams params = affine(8, is_signed, random_floats(rng, 7, 0.01, 0.1), axis);
        if (is_signed) params.q_min = -127;
        params.zero_point.assign(7, 0);
        params.channel_bits = widths;
        const QuantizedModel model = shown(shape, random_floats(rng, element_count(shape), -4, 4), params);
        expect_exact(model);
        const int64_t inner = element_count(shape) / 7;
        int64_t bits = 0;
        for (const int8_t width : widths) bits += width * inner;
        if (widths[2] == 0) bits = 7 * inner;
        EXPECT_EQ(stored_bits(params, shape), bits);
        EXPECT_NEAR(static_cast<double>(planes_in(insert_qdq(model))), static_cast<double>(bits) / 8, 36);
      }
    }
  }
}

TEST(Packed, FilesWithoutNotesKnowTheWidthsOfChannels) {
  Rng rng(10);
  QuantParams params = affine(8, true, {0.1F, 0.2F, 0.3F}, 0);
  params.q_min = -127;
  params.zero_point.assign(3, 0);
  params.channel_bits = {2, 8, 0};
  Graph file = insert_qdq(shown({3, 50}, random_floats(rng, 150, -20, 20), params));
  file.metadata.clear();
  EXPECT_EQ(fold_qdq(file).encodings.at("w").params.channel_bits, params.channel_bits);
}

TEST(Packed, FunctionsStandOnceAndOnlyWhereTheyAreCalled) {
  Rng rng(11);
  NetBuilder net;
  const ValueId a = net.constant("a", {9}, random_floats(rng, 9, -1, 1), affine(3, true, {0.2F}));
  const ValueId b = net.constant("b", {9}, random_floats(rng, 9, -1, 1), affine(5, false, {0.05F}));
  net.output(net.node("Add", {net.node("Add", {net.input("x", {9}), a}, "sum"), b}, "y"));
  const Graph file = insert_qdq(net.model);
  ASSERT_EQ(file.functions.size(), 1U);
  EXPECT_EQ(file.functions[0].name, kUnpackBits);
  EXPECT_EQ(file.functions[0].body->opset(), file.opset());
  EXPECT_GE(file.ir_version, kPackedMinIr);
  // Planes that nothing folds, here because their codes are an output, keep their function.
  Graph shown_codes = file;
  const ValueId codes = shown_codes.find("a_UnpackBits");
  ASSERT_NE(codes, ValueId::None);
  shown_codes.outputs().push_back(codes);
  const QuantizedModel left = fold_qdq(shown_codes);
  EXPECT_EQ(left.graph.functions.size(), 1U);
  EXPECT_EQ(count_of(left.graph, kUnpackBits), 1);
}

}  // namespace
}  // namespace halftone
