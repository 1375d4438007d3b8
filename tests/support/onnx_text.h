// ONNX models written as text (protobuf's text format) in tests.
#pragma once

#include <google/protobuf/text_format.h>
#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>
#include <onnx/onnx_pb.h>

#include <span>
#include <stdexcept>
#include <string>

namespace halftone::test {

template <typename Message = ::onnx::ModelProto>
Message from_text(const std::string& text) {
  Message message;
  if (!google::protobuf::TextFormat::ParseFromString(text, &message)) throw std::logic_error("bad text: " + text);
  return message;
}

// The same with ir_version 8 and opset 17 in front; `graph` is the inside of graph { }.
inline ::onnx::ModelProto model_from_text(const std::string& graph, const std::string& beside = "") {
  return from_text("ir_version: 8 opset_import { domain: '' version: 17 } " + beside + " graph { name: 'g' " + graph +
                   " }");
}

// name: float[dims...], the inside of input { }, output { } or value_info { }.
inline std::string float_type(const std::string& name, const std::vector<std::string>& dims) {
  std::string text = "name: '" + name + "' type { tensor_type { elem_type: 1 shape {";
  for (const std::string& dim : dims) {
    const bool number = dim.find_first_not_of("-0123456789") == std::string::npos;
    text += " dim { " + (number ? "dim_value: " + dim : "dim_param: '" + dim + "'") + " }";
  }
  return text + " } } }";
}

template <typename Message>
Message from_bytes(const std::string& bytes) {
  Message message;
  if (!message.ParseFromString(bytes)) throw std::logic_error("not such a message");
  return message;
}

inline std::span<const std::byte> as_span(const std::string& bytes) { return std::as_bytes(std::span(bytes)); }

inline void expect_same(const google::protobuf::Message& expected, const google::protobuf::Message& found) {
  google::protobuf::util::MessageDifferencer differencer;
  std::string differences;
  differencer.ReportDifferencesToString(&differences);
  EXPECT_TRUE(differencer.Compare(expected, found)) << differences;
}

}  // namespace halftone::test
