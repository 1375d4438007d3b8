#include "halftone/onnx/internal/model_writer.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>

#include <utility>

#include "halftone/onnx/internal/tensor_proto.h"

namespace halftone::onnx {
namespace {

using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::CodedInputStream;
using google::protobuf::io::CodedOutputStream;

// Tag and length that stand before a nested message or bytes field.
std::string prefix(int field, size_t size) {
  uint8_t buffer[16];
  uint8_t* end = CodedOutputStream::WriteTagToArray(
      WireFormatLite::MakeTag(field, WireFormatLite::WIRETYPE_LENGTH_DELIMITED), buffer);
  end = CodedOutputStream::WriteVarint64ToArray(size, end);
  return {reinterpret_cast<const char*>(buffer), static_cast<size_t>(end - buffer)};
}

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

// Protobuf writes fields in ascending order, so the head ends before the first field beyond `field`.
template <typename Message>
ModelWriter::Frame ModelWriter::frame_of(const Message& message, int field) {
  if (message.ByteSizeLong() > kMaxMessageBytes) {
    fail(ErrorCode::Unsupported, "model", "its nodes and types must fit in a message of 2 GiB, found {} bytes",
         message.ByteSizeLong());
  }
  Frame frame{message.SerializeAsString(), {}};
  CodedInputStream input(reinterpret_cast<const uint8_t*>(frame.head.data()), static_cast<int>(frame.head.size()));
  int end = 0;
  while (const uint32_t tag = input.ReadTag()) {
    if (WireFormatLite::GetTagFieldNumber(tag) > field) break;
    HT_CHECK(WireFormatLite::SkipField(&input, tag), "a message that protobuf wrote can't be walked");
    end = input.CurrentPosition();
  }
  frame.tail = frame.head.substr(static_cast<size_t>(end));
  frame.head.resize(static_cast<size_t>(end));
  return frame;
}

ModelWriter::ModelWriter(ModelParts parts) {
  const auto total = [](const Frame& frame) { return frame.head.size() + frame.tail.size(); };
  graph_ = frame_of(parts.model.graph(), pb::GraphProto::kInitializerFieldNumber);
  parts.model.clear_graph();
  model_ = frame_of(parts.model, pb::ModelProto::kGraphFieldNumber);
  graph_size_ = total(graph_);
  for (InitializerParts& part : parts.initializers) {
    Initializer initializer;
    initializer.raw = !part.external_offset && has_raw_content(part.tensor, part.proto);
    if (part.tensor.dtype() == DType::String) put_content(part.tensor, part.proto);
    initializer.frame = frame_of(part.proto, pb::TensorProto::kRawDataFieldNumber);
    initializer.size = total(initializer.frame);
    if (initializer.raw) {
      const size_t bytes = part.tensor.bytes().size();
      initializer.size += prefix(pb::TensorProto::kRawDataFieldNumber, bytes).size() + bytes;
    }
    graph_size_ += prefix(pb::GraphProto::kInitializerFieldNumber, initializer.size).size() + initializer.size;
    initializer.content = std::move(part.tensor);
    initializers_.push_back(std::move(initializer));
  }
  size_ = total(model_) + prefix(pb::ModelProto::kGraphFieldNumber, graph_size_).size() + graph_size_;
  if (size_ > kMaxMessageBytes) {
    fail(ErrorCode::Unsupported, "model", "a message must be at most 2 GiB, found {} bytes; write external data",
         size_);
  }
}

void ModelWriter::write(const std::function<void(std::string_view)>& sink) const {
  sink(model_.head);
  sink(prefix(pb::ModelProto::kGraphFieldNumber, graph_size_));
  sink(graph_.head);
  for (const Initializer& initializer : initializers_) {
    sink(prefix(pb::GraphProto::kInitializerFieldNumber, initializer.size));
    sink(initializer.frame.head);
    if (initializer.raw) {
      sink(prefix(pb::TensorProto::kRawDataFieldNumber, initializer.content.bytes().size()));
      sink(text_of(initializer.content.bytes()));
    }
    sink(initializer.frame.tail);
  }
  sink(graph_.tail);
  sink(model_.tail);
}

}  // namespace halftone::onnx
