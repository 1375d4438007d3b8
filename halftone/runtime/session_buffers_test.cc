// Session on memory of the caller's: real numbers and codes, and what is refused.
#include <gtest/gtest.h>

#include <array>
#include <thread>

#include "halftone/onnx/onnx.h"
#include "halftone/runtime/session.h"
#include "halftone/transform/insert_qdq.h"
#include "tests/support/quantized_net.h"

namespace halftone::session_buffers_test {
namespace {

// A network of one convolution for any batch, between values on these grids (nullopt: floats).
QuantizedModel convolution(const std::optional<QuantParams>& x_grid, const std::optional<QuantParams>& y_grid) {
  test::NetBuilder net;
  Rng rng(7);
  const ValueId x = net.input("x", {1, 3, 7, 5});
  net.model.graph.value(x).type.shape->front() = Dim("N");
  if (x_grid) net.encode("x", *x_grid);
  const std::vector<float> content = test::random_floats(rng, 6 * 3 * 9, -0.3, 0.3);
  const ValueId w = x_grid ? net.constant("w", {6, 3, 3, 3}, content, test::weight_grid({0.003F}, -1))
                           : net.constant("w", {6, 3, 3, 3}, content);
  const ValueId y = net.node("Conv", {x, w}, "y", {{"pads", std::vector<int64_t>{1, 1, 1, 1}}});
  if (y_grid) net.encode("y", *y_grid);
  net.output(y);
  return net.model;
}

constexpr int64_t kIn = 3 * 7 * 5, kOut = 6 * 7 * 5;

std::vector<float> run_floats(const Session& session, int64_t batch, std::span<const float> x) {
  const Shape shape = {batch, 3, 7, 5};
  std::vector<float> y(static_cast<size_t>(batch * kOut));
  const std::array inputs = {view_of(x, shape)};
  const std::array outputs = {buffer_of<float>(y)};
  session.run(inputs, outputs);
  return y;
}

TEST(SessionBuffers, GiveWhatTheTensorMapGives) {
  Rng rng(1);
  for (const bool quantized : {false, true}) {
    const auto grid = quantized ? std::optional(test::uint8_grid(0.01F, 120)) : std::nullopt;
    for (const int threads : {1, 2}) {
      const Session session(convolution(grid, grid), {.threads = threads, .team = nullptr, .taps = {}});
      for (const int64_t batch : {1, 3, 1}) {
        const std::vector<float> x = test::random_floats(rng, batch * kIn, -1, 1);
        const TensorMap expected = session.run({{"x", Tensor::from({batch, 3, 7, 5}, x)}});
        EXPECT_EQ(run_floats(session, batch, x), to_vector<float>(expected.at("y")));
      }
    }
  }
}

// The codes of a value, as the caller has them, and the real numbers that they stand for.
struct Coded {
  Tensor codes, real;
};
Coded random_codes(Rng& rng, const QuantParams& params, const Shape& shape) {
  Tensor real(DType::Float, shape);
  for (float& x : real.mutable_data<float>()) x = static_cast<float>(rng.uniform(-4, 4));
  const Tensor codes = quantize(real, params);
  return {codes, dequantize(codes, params)};
}

class SessionCodes : public testing::TestWithParam<QuantParams> {};

TEST_P(SessionCodes, OfInputsAndOutputsStandForTheirRealNumbers) {
  const QuantParams grid = GetParam();
  Rng rng(2);
  // Inputs that are computed on as codes, and inputs that only float nodes read.
  for (const bool integers : {true, false}) {
    QuantizedModel model = convolution(grid, grid);
    if (!integers) model.encodings.erase("w");
    const Session session(model);
    ASSERT_TRUE(session.inputs()[0].grid && session.outputs()[0].grid);
    EXPECT_EQ(session.inputs()[0].grid->dtype, grid.dtype);
    EXPECT_EQ(session.outputs()[0].grid->zero_point, grid.zero_point[0]);
    const Coded x = random_codes(rng, grid, {2, 3, 7, 5});
    const std::vector<float> expected = run_floats(session, 2, x.real.data<float>());

    Tensor y(grid.dtype, {2, 6, 7, 5});
    const std::array inputs = {view_of(x.codes)};
    const std::array outputs = {TensorBuffer{grid.dtype, y.mutable_bytes()}};
    session.run(inputs, outputs);
    EXPECT_TRUE(y.same_as(quantize(Tensor::from({2, 6, 7, 5}, expected), grid)));
    EXPECT_EQ(to_vector<float>(dequantize(y, grid)), expected);
    // The other form takes codes as well.
    EXPECT_EQ(to_vector<float>(session.run({{"x", x.codes}}).at("y")), expected);
  }
}

TEST_P(SessionCodes, BeyondTheBoundsBecomeTheBound) {
  QuantParams grid = GetParam();
  grid.q_min += 3;
  grid.q_max -= 9;
  grid.zero_point[0] = static_cast<int32_t>(std::clamp<int64_t>(grid.zero_point[0], grid.q_min, grid.q_max));
  const Session session(convolution(grid, std::nullopt));
  const auto result_for = [&](int64_t code) {
    const Tensor codes = convert(Tensor::from<int32_t>({1, 3, 7, 5}, std::vector<int32_t>(kIn, code)), grid.dtype);
    return to_vector<float>(session.run({{"x", codes}}).at("y"));
  };
  EXPECT_EQ(result_for(grid.q_min - 3), result_for(grid.q_min));
  EXPECT_EQ(result_for(grid.q_max + 9), result_for(grid.q_max));
  EXPECT_NE(result_for(grid.q_max - 1), result_for(grid.q_max));
}

INSTANTIATE_TEST_SUITE_P(Grids, SessionCodes,
                         testing::Values(test::uint8_grid(0.02F, 100), test::int8_grid(0.03F, -7),
                                         test::per_tensor(DType::UInt16, 1e-4F, 30000, 0, 65535),
                                         test::per_tensor(DType::Int16, 2e-4F, 0, -32768, 32767)));

TEST(SessionBuffers, WhatDoesNotFitIsRefusedByName) {
  const Session session(convolution(test::int8_grid(0.02F), std::nullopt));
  std::vector<float> x(kIn), y(kOut);
  const Shape shape = {1, 3, 7, 5};
  const TensorView good_x = view_of<float>(x, shape);
  const TensorBuffer good_y = buffer_of<float>(y);
  const auto message = [&](std::vector<TensorView> inputs, std::vector<TensorBuffer> outputs) -> std::string {
    try {
      session.run(inputs, outputs);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::InvalidArgument);
      return error.what();
    }
    return "";
  };
  EXPECT_EQ(message({good_x}, {good_y}), "");
  EXPECT_EQ(message({}, {good_y}), "run: the network has 1 input, found 0");
  EXPECT_EQ(message({good_x}, {good_y, good_y}), "run: the network has 1 output, found 2");
  TensorView view = good_x;
  view.dtype = DType::UInt8;
  EXPECT_EQ(message({view}, {good_y}),
            "run: input 'x' must be float[N, 3, 7, 5] or codes of type int8, found uint8[1, 3, 7, 5]");
  const Shape wide = {1, 3, 7, 6}, flat = {3, 7, 5}, huge = {int64_t{1} << 61, 3, 7, 5}, negative = {-1, 3, 7, 5};
  for (const Shape& wrong : {wide, flat, huge, negative}) {
    view = good_x;
    view.shape = wrong;
    EXPECT_NE(message({view}, {good_y}).find("found float" + to_string(wrong)), std::string::npos);
  }
  view = good_x;
  view.bytes = view.bytes.first(view.bytes.size() - 1);
  EXPECT_EQ(message({view}, {good_y}), "run: input 'x' takes 420 bytes, found a buffer of 419");
  view.bytes = {static_cast<const std::byte*>(nullptr), 420};
  EXPECT_EQ(message({view}, {good_y}), "run: input 'x' takes 420 bytes, found a null pointer");
  std::vector<std::byte> crooked(1000);
  view.bytes = std::span(crooked).subspan(reinterpret_cast<uintptr_t>(crooked.data()) % 4 == 1 ? 0 : 1);
  EXPECT_EQ(message({view}, {good_y}), "run: input 'x' must lie at a multiple of 4 bytes");
  TensorBuffer buffer = good_y;
  buffer.dtype = DType::Int8;
  EXPECT_EQ(message({good_x}, {buffer}), "run: output 'y' must be float[N, 6, 7, 5], found int8");
  buffer = good_y;
  buffer.bytes = buffer.bytes.first(839);
  EXPECT_EQ(message({good_x}, {buffer}), "run: output 'y' takes 840 bytes, found a buffer of 839");
  buffer.bytes = {static_cast<std::byte*>(nullptr), 840};
  EXPECT_EQ(message({good_x}, {buffer}), "run: output 'y' takes 840 bytes, found a null pointer");
}

TEST(SessionBuffers, OutputsOfUnknownShapeNeedTheOtherForm) {
  test::NetBuilder net;
  const ValueId x = net.input("x", {4});
  net.output(net.node("NonZero", {x}, "y"));
  net.model.graph.value(net.model.graph.find("y")).type.dtype = DType::Int64;
  const Session session(net.model);
  EXPECT_EQ(session.prepare(), (std::vector<std::optional<Shape>>{std::nullopt}));
  const std::vector<float> content = {0, 1, 0, 2};
  std::vector<int64_t> y(8);
  const Shape shape = {4};
  const std::array inputs = {view_of<float>(content, shape)};
  const std::array outputs = {buffer_of<int64_t>(y)};
  EXPECT_THROW(session.run(inputs, outputs), Error);
  EXPECT_EQ(to_vector<int64_t>(session.run({{"x", Tensor::from({4}, content)}}).at("y")), (std::vector<int64_t>{1, 3}));
}

TEST(Session, PrepareTellsTheShapesOfOutputs) {
  const Session session(convolution(std::nullopt, std::nullopt));
  EXPECT_EQ(session.prepare({{"x", {4, 3, 7, 5}}}), (std::vector<std::optional<Shape>>{Shape{4, 6, 7, 5}}));
  EXPECT_THROW(session.prepare(), Error);
  EXPECT_THROW(session.prepare({{"x", {4, 3, 7, 6}}}), Error);
  EXPECT_THROW(session.prepare({{"x", {4, 3, 7, 5}}, {"z", {1}}}), Error);
}

TEST(Session, CopiesLiveOnAndTeamsMayDiffer) {
  const auto grid = test::uint8_grid(0.01F, 120);
  auto first = std::make_unique<Session>(convolution(grid, grid));
  Rng rng(3);
  const std::vector<float> x = test::random_floats(rng, 2 * kIn, -1, 1);
  const std::vector<float> expected = run_floats(*first, 2, x);
  const Session copy = *first;
  const Session other = first->with_team(std::make_shared<ThreadTeam>(3));
  first.reset();
  EXPECT_EQ(run_floats(copy, 2, x), expected);
  EXPECT_EQ(run_floats(other, 2, x), expected);
  EXPECT_THROW(copy.with_team(nullptr), Error);
}

TEST(Session, LoadsFromMemory) {
  const QuantizedModel model = convolution(test::uint8_grid(0.01F, 120), test::int8_grid(0.02F));
  const std::string file = onnx::serialize_model(insert_qdq(model));
  const Session loaded = Session::load(std::as_bytes(std::span(file)));
  Rng rng(4);
  const std::vector<float> x = test::random_floats(rng, kIn, -1, 1);
  EXPECT_EQ(run_floats(loaded, 1, x), run_floats(Session(model), 1, x));
  EXPECT_THROW(Session::load(std::as_bytes(std::span(file).first(file.size() / 2))), Error);
  EXPECT_THROW(Session::load("nowhere.onnx"), Error);
}

}  // namespace
}  // namespace halftone::session_buffers_test
