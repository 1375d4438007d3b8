#include "halftone/quant/quant_params.h"

#include <gtest/gtest.h>

#include <cfloat>
#include <cmath>
#include <limits>

#include "halftone/base/error.h"
#include "halftone/base/rng.h"
#include "halftone/tensor/packing.h"

namespace halftone::quant_params_test {
namespace {

QuantSpec spec_of(std::string_view type, bool symmetric, bool narrow = false) {
  QuantSpec spec = parse_quant_type(type);
  spec.symmetric = symmetric;
  spec.narrow_range = narrow;
  return spec;
}

TEST(QuantSpec, TypesAreReadAndWritten) {
  for (const char* name : {"int8", "uint8", "int4", "uint4", "int16", "uint16", "int2", "uint3", "int1", "uint1"}) {
    EXPECT_EQ(type_name(parse_quant_type(name)), name);
  }
}

TEST(QuantSpec, UnknownTypesAreErrorsWithTheNearestKnownOne) {
  for (const char* name :
       {"", "8", "int", "int0", "uint0", "int17", "uint-8", "int-8", "float8", "int8x", "uint99999999999"}) {
    EXPECT_THROW(parse_quant_type(name), Error) << name;
  }
  try {
    parse_quant_type("itn8");
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::InvalidArgument);
    EXPECT_NE(std::string(e.what()).find("did you mean 'int8'?"), std::string::npos) << e.what();
  }
}

TEST(ChooseParams, HandValues) {
  const QuantParams asymmetric = choose_params(spec_of("uint8", false), {-1.0F}, {4.1F});
  EXPECT_FLOAT_EQ(asymmetric.scale[0], 0.02F);
  EXPECT_EQ(asymmetric.zero_point[0], 50);
  const QuantParams relu6 = choose_params(spec_of("uint8", false), {0.5F}, {6.0F});
  EXPECT_FLOAT_EQ(relu6.scale[0], 6.0F / 255.0F) << "the range must be extended to 0";
  EXPECT_EQ(relu6.zero_point[0], 0);
  const QuantParams signed_asymmetric = choose_params(spec_of("int8", false), {0.0F}, {2.55F});
  EXPECT_EQ(signed_asymmetric.zero_point[0], -128);
  const QuantParams weights = choose_params(spec_of("int8", true, true), {-2.54F}, {1.0F});
  EXPECT_FLOAT_EQ(weights.scale[0], 0.02F);
  EXPECT_EQ(weights.zero_point[0], 0);
  EXPECT_EQ(weights.q_min, -127);
  const QuantParams centred = choose_params(spec_of("uint8", true), {-1.27F}, {1.0F});
  EXPECT_EQ(centred.zero_point[0], 128);
  EXPECT_FLOAT_EQ(centred.scale[0], 0.01F);
}

TEST(ChooseParams, ExtremesStayUsable) {
  const QuantParams constant = choose_params(spec_of("uint8", false), {0.0F}, {0.0F});
  EXPECT_EQ(constant.scale[0], 1.0F);
  const QuantParams tiny = choose_params(spec_of("int8", true), {-1e-44F}, {1e-45F});
  EXPECT_EQ(tiny.scale[0], FLT_MIN);
  const QuantParams huge = choose_params(spec_of("uint8", false), {-FLT_MAX}, {FLT_MAX});
  EXPECT_TRUE(std::isfinite(huge.scale[0]));
  const QuantParams all_negative = choose_params(spec_of("uint8", false), {-3.0F}, {-1.0F});
  EXPECT_EQ(all_negative.zero_point[0], 255);
  const float nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THROW(choose_params(spec_of("uint8", false), {nan}, {1.0F}), Error);
  EXPECT_THROW(choose_params(spec_of("uint8", false), {0.0F}, {INFINITY}), Error);
}

TEST(Quantize, RoundsHalfToEvenThenSaturates) {
  EXPECT_EQ(quantize(0.5F, 1, 0, -128, 127), 0);
  EXPECT_EQ(quantize(1.5F, 1, 0, -128, 127), 2);
  EXPECT_EQ(quantize(2.5F, 1, 10, 0, 255), 12);
  EXPECT_EQ(quantize(-2.5F, 1, 0, -128, 127), -2);
  EXPECT_EQ(quantize(1e30F, 1e-30F, 7, 0, 255), 255);
  EXPECT_EQ(quantize(-INFINITY, 1, 7, 0, 255), 0);
  EXPECT_EQ(quantize(std::numeric_limits<float>::quiet_NaN(), 1, 7, 0, 255), 7);
  EXPECT_EQ(quantize(-200, 1, 0, -127, 127), -127);
  EXPECT_EQ(quantize(1e20F, 1, 0, INT32_MIN, INT32_MAX), INT32_MAX);
  EXPECT_EQ(quantize(-1e20F, 1, 0, INT32_MIN, INT32_MAX), INT32_MIN);
}

TEST(Quantize, ErrorIsAtMostHalfAStepAndZeroIsExact) {
  Rng rng(1);
  for (const char* type : {"uint8", "int8", "uint4", "int4", "int16", "uint16", "int3"}) {
    for (int i = 0; i < 200; ++i) {
      const float low = static_cast<float>(-rng.uniform(0, 10)), high = static_cast<float>(rng.uniform(0, 10));
      const QuantParams p = choose_params(spec_of(type, i % 2 == 0), {low}, {high});
      const auto round_trip = [&](float x) {
        return dequantize(quantize(x, p.scale[0], p.zero_point[0], p.q_min, p.q_max), p.scale[0], p.zero_point[0]);
      };
      EXPECT_EQ(round_trip(0), 0);
      const auto x = static_cast<float>(rng.uniform(low, high));
      // The rounded zero point may push one end of an asymmetric range half a step out of the grid.
      EXPECT_LE(std::fabs(round_trip(x) - x), p.scale[0] * 1.0001F) << type << " " << x;
      EXPECT_EQ(round_trip(round_trip(x)), round_trip(x));
      const auto y = static_cast<float>(rng.uniform(low, high));
      EXPECT_EQ(x < y ? round_trip(x) <= round_trip(y) : round_trip(x) >= round_trip(y), true);
    }
  }
}

TEST(Quantize, InsideTheGridTheErrorIsAtMostHalfAStep) {
  Rng rng(2);
  for (int i = 0; i < 2000; ++i) {
    const auto scale = static_cast<float>(rng.uniform(1e-3, 1));
    const auto zero_point = static_cast<int32_t>(rng.below(256));
    const auto x = static_cast<float>(rng.uniform(-zero_point, 255 - zero_point)) * scale;
    const float back = dequantize(quantize(x, scale, zero_point, 0, 255), scale, zero_point);
    EXPECT_LE(std::fabs(back - x), scale * 0.50001F);
  }
}

// A tensor in which every element differs, with ties, saturation, infinities and a NaN among them.
Tensor probe(const Shape& shape) {
  Tensor real(DType::Float, shape);
  const std::span<float> x = real.mutable_data<float>();
  Rng rng(x.size());
  for (float& v : x) v = static_cast<float>(static_cast<int>(rng.below(400)) - 200) * 0.25F;
  if (x.size() > 3) x[0] = std::numeric_limits<float>::quiet_NaN(), x[1] = INFINITY, x[2] = -INFINITY;
  return real;
}

// Scale index of each element, straight from the definition.
size_t scale_index(const Shape& shape, const QuantParams& params, size_t flat) {
  if (params.per_tensor()) return 0;
  const auto strides = contiguous_strides(shape);
  Shape scale_shape = shape;
  const auto axis = static_cast<size_t>(params.axis);
  if (params.block_size > 0) {
    scale_shape[axis] = (shape[axis] + params.block_size - 1) / params.block_size;
  } else {
    for (size_t d = 0; d < shape.size(); ++d) scale_shape[d] = d == axis ? shape[d] : 1;
  }
  const auto scale_strides = contiguous_strides(scale_shape);
  int64_t index = 0;
  for (size_t d = 0; d < shape.size(); ++d) {
    int64_t at = static_cast<int64_t>(flat) / strides[d] % shape[d];
    if (params.block_size > 0 && d == axis) at /= params.block_size;
    if (params.block_size == 0 && d != axis) at = 0;
    index += at * scale_strides[d];
  }
  return static_cast<size_t>(index);
}

class QuantizeTensor : public ::testing::TestWithParam<std::tuple<const char*, Shape, int64_t, int64_t>> {};

TEST_P(QuantizeTensor, AgreesWithTheScalarFormulaElementByElement) {
  const auto& [type, shape, axis, block] = GetParam();
  QuantSpec spec = spec_of(type, false);
  QuantParams params = choose_params(spec, {0}, {1});
  params.axis = axis;
  params.block_size = block;
  size_t count = 1;
  for (size_t i = 0; i < static_cast<size_t>(element_count(shape)); ++i) {
    count = std::max(count, scale_index(shape, params, i) + 1);
  }
  params.scale.resize(count);
  params.zero_point.resize(count);
  const auto codes_in_use = static_cast<uint64_t>(params.q_max - params.q_min);
  Rng rng(3);
  for (size_t i = 0; i < count; ++i) {
    params.scale[i] = static_cast<float>(i + 1) * 0.125F;
    params.zero_point[i] = static_cast<int32_t>(params.q_min + static_cast<int64_t>(rng.below(codes_in_use)));
  }
  const Tensor real = probe(shape);
  const Tensor codes = quantize(real, params);
  const Tensor back = dequantize(codes, params);
  const Tensor fake = fake_quantize(real, params);
  EXPECT_EQ(codes.dtype(), params.dtype);
  const std::vector<int32_t> q = unpack_integers(codes);
  for (size_t i = 0; i < q.size(); ++i) {
    const size_t s = scale_index(shape, params, i);
    const int32_t expected =
        quantize(real.data<float>()[i], params.scale[s], params.zero_point[s], params.q_min, params.q_max);
    EXPECT_EQ(q[i], expected) << "element " << i;
    EXPECT_EQ(back.data<float>()[i], dequantize(expected, params.scale[s], params.zero_point[s])) << "element " << i;
  }
  EXPECT_TRUE(fake.same_as(back)) << "fake quantization must give the same bits";
}

INSTANTIATE_TEST_SUITE_P(Shapes, QuantizeTensor,
                         ::testing::Combine(::testing::Values("uint8", "int8", "int4", "uint4", "int16", "uint16",
                                                              "int2"),
                                            ::testing::Values(Shape{5, 7, 3}, Shape{1, 17, 33}, Shape{2, 1, 1}),
                                            ::testing::Values(-1, 0, 1, 2), ::testing::Values(0, 3)));

TEST(QuantizeTensor, EmptyScalarAndMismatched) {
  QuantParams params = choose_params(spec_of("uint8", false), {0}, {255});
  EXPECT_EQ(quantize(Tensor(DType::Float, {0, 3}), params).size(), 0);
  EXPECT_EQ(quantize(Tensor::scalar(3.4F), params).data<uint8_t>()[0], 3);
  params.axis = 1;
  EXPECT_THROW(quantize(Tensor(DType::Float, {2, 3}), params), Error);
  params.axis = 5;
  EXPECT_THROW(quantize(Tensor(DType::Float, {2, 3}), params), Error);
  EXPECT_THROW(quantize(Tensor(DType::Int32, {2, 3}), params), Error);
}

TEST(QuantizeTensor, Int32CodesSaturateExactly) {
  const Tensor real = Tensor::from<float>({3}, std::vector<float>{3e9F, -3e9F, 16777216.0F});
  QuantParams params{DType::Int32, INT32_MIN, INT32_MAX, {1.0F}, {0}};
  const Tensor codes = quantize(real, params);
  EXPECT_EQ(codes.data<int32_t>()[0], INT32_MAX);
  EXPECT_EQ(codes.data<int32_t>()[1], INT32_MIN);
  EXPECT_EQ(codes.data<int32_t>()[2], 16777216);
}

TEST(CheckParams, RefusesWhatAFileMayGetWrong) {
  const Shape shape = {4, 6};
  const QuantParams good{DType::Int8, -128, 127, {1, 2, 3, 4}, {0, 0, 0, 0}, 0};
  EXPECT_NO_THROW(check_params(good, shape, "w"));
  const auto refuses = [&](auto change) {
    QuantParams bad = good;
    change(bad);
    try {
      check_params(bad, shape, "w");
      return false;
    } catch (const Error& e) {
      return e.code() == ErrorCode::InvalidModel && std::string(e.what()).starts_with("w: ");
    }
  };
  EXPECT_TRUE(refuses([](QuantParams& p) { p.scale[1] = 0; }));
  EXPECT_TRUE(refuses([](QuantParams& p) { p.scale[1] = -1; }));
  EXPECT_TRUE(refuses([](QuantParams& p) { p.scale[1] = INFINITY; }));
  EXPECT_TRUE(refuses([](QuantParams& p) { p.scale[1] = 1e-40F; }));
  EXPECT_TRUE(refuses([](QuantParams& p) { p.zero_point[3] = 128; }));
  EXPECT_TRUE(refuses([](QuantParams& p) { p.scale.pop_back(); }));
  EXPECT_TRUE(refuses([](QuantParams& p) { p.axis = 1; }));
  EXPECT_TRUE(refuses([](QuantParams& p) { p.axis = 2; }));
  EXPECT_TRUE(refuses([](QuantParams& p) { p.dtype = DType::Float; }));
  EXPECT_TRUE(refuses([](QuantParams& p) { p.q_max = 128; }));
  QuantParams blocks = good;
  blocks.axis = 1;
  blocks.block_size = 4;
  blocks.scale.assign(8, 1);
  blocks.zero_point.assign(8, 0);
  EXPECT_NO_THROW(check_params(blocks, shape, "w"));
}

}  // namespace
}  // namespace halftone::quant_params_test
