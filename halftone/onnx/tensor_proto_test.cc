#include "halftone/onnx/internal/tensor_proto.h"

#include <gtest/gtest.h>

#include <limits>

#include "halftone/tensor/packing.h"
#include "tests/support/onnx_text.h"

namespace halftone::onnx::tensor_proto_test {
namespace {

Tensor take(const std::string& text) {
  auto proto = test::from_text<pb::TensorProto>(text);
  ExternalData nowhere{{}};
  return take_tensor(proto, nowhere, "tensor 'w'");
}

std::string refusal(const std::string& text) {
  try {
    take(text);
  } catch (const Error& error) {
    return error.what();
  }
  return "accepted";
}

template <typename T>
std::vector<T> elements(const Tensor& tensor) {
  return {tensor.data<T>().begin(), tensor.data<T>().end()};
}

TEST(TakeTensor, EveryTypedFieldHoldsItsTypes) {
  EXPECT_EQ(elements<float>(take("dims: 2 data_type: 1 float_data: [1.5, -2]")), (std::vector<float>{1.5F, -2}));
  EXPECT_EQ(elements<uint8_t>(take("dims: 2 data_type: 2 int32_data: [0, 255]")), (std::vector<uint8_t>{0, 255}));
  EXPECT_EQ(elements<int8_t>(take("dims: 2 data_type: 3 int32_data: [-128, 127]")), (std::vector<int8_t>{-128, 127}));
  EXPECT_EQ(elements<uint16_t>(take("dims: 1 data_type: 4 int32_data: 65535")), (std::vector<uint16_t>{65535}));
  EXPECT_EQ(elements<int16_t>(take("dims: 1 data_type: 5 int32_data: -32768")), (std::vector<int16_t>{-32768}));
  EXPECT_EQ(elements<int32_t>(take("data_type: 6 int32_data: -7")), (std::vector<int32_t>{-7}));
  EXPECT_EQ(elements<int64_t>(take("dims: 1 data_type: 7 int64_data: -9000000000")),
            (std::vector<int64_t>{-9000000000}));
  EXPECT_EQ(elements<bool>(take("dims: 2 data_type: 9 int32_data: [1, 0]")), (std::vector<bool>{true, false}));
  EXPECT_EQ(elements<double>(take("dims: 1 data_type: 11 double_data: 0.1")), (std::vector<double>{0.1}));
  EXPECT_EQ(elements<uint32_t>(take("dims: 1 data_type: 12 uint64_data: 4294967295")),
            (std::vector<uint32_t>{4294967295U}));
  EXPECT_EQ(elements<uint64_t>(take("dims: 1 data_type: 13 uint64_data: 18446744073709551615")),
            (std::vector<uint64_t>{std::numeric_limits<uint64_t>::max()}));
  EXPECT_EQ(take("dims: 2 data_type: 14 float_data: [1, 2, 3, 4]").bytes().size(), 16U);
  EXPECT_EQ(take("dims: 1 data_type: 15 double_data: [1, 2]").bytes().size(), 16U);
  EXPECT_EQ(take("dims: 2 data_type: 8 string_data: ['a', 'bc']").strings(), (std::vector<std::string>{"a", "bc"}));
}

// 0xBC00 is float16 -1 and bfloat16 -0.0078125; 0x3F80 is bfloat16 1. Some writers sign-extend the 16 bits.
TEST(TakeTensor, HalfTypesStandAsBitPatterns) {
  EXPECT_EQ(to_vector<float>(take("dims: 2 data_type: 10 int32_data: [48128, 15360]")), (std::vector<float>{-1, 1}));
  EXPECT_EQ(to_vector<float>(take("dims: 1 data_type: 10 int32_data: -17408")), (std::vector<float>{-1}));
  EXPECT_EQ(to_vector<float>(take("dims: 1 data_type: 16 int32_data: 16256")), (std::vector<float>{1}));
}

// Two nibbles per entry and byte, the first element in the low one: 0xF1 holds 1 and 15 (or -1).
TEST(TakeTensor, SmallTypesArePacked) {
  EXPECT_EQ(unpack_integers(take("dims: 3 data_type: 21 int32_data: [241, 7]")), (std::vector<int32_t>{1, 15, 7}));
  EXPECT_EQ(unpack_integers(take("dims: 3 data_type: 22 int32_data: [241, 7]")), (std::vector<int32_t>{1, -1, 7}));
  EXPECT_EQ(unpack_integers(take("dims: 3 data_type: 22 raw_data: '\\361\\007'")), (std::vector<int32_t>{1, -1, 7}));
  EXPECT_EQ(unpack_integers(take("dims: 5 data_type: 26 raw_data: '\\344\\001'")),
            (std::vector<int32_t>{0, 1, -2, -1, 1}));
  EXPECT_EQ(take("dims: 2 data_type: 17 int32_data: [56, 184]").bytes().size(), 2U);
}

TEST(TakeTensor, ScalarsAndEmptyTensors) {
  EXPECT_EQ(take("data_type: 1 raw_data: '\\000\\000\\200\\077'").shape(), Shape{});
  EXPECT_EQ(take("dims: [0, 5] data_type: 1").shape(), (Shape{0, 5}));
  EXPECT_EQ(take("dims: 0 data_type: 8").strings().size(), 0U);
}

TEST(TakeTensor, KeepsRawDataWhereItIs) {
  pb::TensorProto proto;
  proto.add_dims(1000);
  proto.set_data_type(1);
  proto.set_raw_data(std::string(4000, 'x'));
  const void* before = proto.raw_data().data();
  ExternalData nowhere{{}};
  const Tensor tensor = take_tensor(proto, nowhere, "w");
  EXPECT_EQ(static_cast<const void*>(tensor.bytes().data()), before);
}

// Type 99 is none that exists: whatever it is, it comes back as it was.
TEST(TakeTensor, CarriesUnknownTypes) {
  for (const char* text :
       {"dims: 3 data_type: 99 raw_data: 'seven b'", "dims: 3 data_type: 99 int32_data: [1, 70000]"}) {
    const auto original = test::from_text<pb::TensorProto>(text);
    pb::TensorProto proto = original;
    ExternalData nowhere{{}};
    const Tensor tensor = take_tensor(proto, nowhere, "w");
    EXPECT_EQ(tensor.dtype(), DType{99});
    put_type(tensor, proto);
    put_content(tensor, proto);
    test::expect_same(original, proto);
  }
}

TEST(TakeTensor, LeavesWhatItDoesNotModel) {
  const std::string beyond = "name: 'w' doc_string: 'weights' ";
  auto proto = test::from_text<pb::TensorProto>(beyond + "dims: 1 data_type: 6 int32_data: 1");
  ExternalData nowhere{{}};
  take_tensor(proto, nowhere, "w");
  test::expect_same(test::from_text<pb::TensorProto>(beyond), proto);
}

TEST(TakeTensor, RefusesWhatContradictsItself) {
  EXPECT_EQ(refusal("dims: 3 data_type: 1 raw_data: 'abcd'"),
            "tensor 'w': float of shape [3] requires 12 bytes, found 4");
  EXPECT_EQ(refusal("dims: 3 data_type: 1 float_data: [1, 2]"),
            "tensor 'w': float of shape [3] requires 12 bytes, found 8");
  EXPECT_NE(refusal("dims: 1 data_type: 1").find("requires 4 bytes, found 0"), std::string::npos);
  EXPECT_NE(refusal("dims: -1 data_type: 1").find("dimensions must be >= 0"), std::string::npos);
  EXPECT_NE(refusal("dims: [4294967296, 4294967296, 4294967296] data_type: 1").find("at most 2^48"), std::string::npos);
  EXPECT_NE(refusal("dims: 1").find("must have an element type"), std::string::npos);
  EXPECT_NE(refusal("dims: 1 data_type: 3 float_data: 1").find("raw_data or int32_data, found float_data"),
            std::string::npos);
  EXPECT_NE(refusal("dims: 1 data_type: 6 int32_data: 1 raw_data: 'abcd'").find("one field"), std::string::npos);
  EXPECT_NE(refusal("dims: 1 data_type: 3 int32_data: 300").find("must fit in 8 bits, found 300"), std::string::npos);
  EXPECT_NE(refusal("dims: 1 data_type: 9 raw_data: '\\002'").find("must be 0 or 1"), std::string::npos);
  EXPECT_NE(refusal("dims: 2 data_type: 8 string_data: 'a'").find("requires 2 strings"), std::string::npos);
  EXPECT_NE(refusal("dims: 1 data_type: 1 float_data: 1 segment { begin: 0 end: 1 }").find("must be whole"),
            std::string::npos);
}

// A billion strings must not be allocated before anyone looks whether they are there.
TEST(TakeTensor, RefusesHugeTensorsWithoutAllocating) {
  EXPECT_NE(refusal("dims: 100000000000 data_type: 8").find("found 0"), std::string::npos);
  EXPECT_NE(refusal("dims: 100000000000 data_type: 1").find("found 0"), std::string::npos);
}

TEST(PutTensor, WritesRawDataAndStrings) {
  for (const char* text : {"dims: [1, 2] data_type: 5 raw_data: 'abcd'", "dims: 2 data_type: 8 string_data: ['', 'x']",
                           "data_type: 22 raw_data: '\\007'", "dims: 0 data_type: 1 raw_data: ''"}) {
    pb::TensorProto proto;
    const Tensor tensor = take(text);
    put_type(tensor, proto);
    put_content(tensor, proto);
    test::expect_same(test::from_text<pb::TensorProto>(text), proto);
  }
}

}  // namespace
}  // namespace halftone::onnx::tensor_proto_test
