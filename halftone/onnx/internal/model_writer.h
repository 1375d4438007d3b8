// ModelParts as bytes, without gathering them in one message first.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "halftone/onnx/internal/export_graph.h"

namespace halftone::onnx {

// The serialized model: fields in the order that protobuf itself writes, tensors streamed from where they are. Keeps
// everything but raw content in memory. Errors (constructor): Error{Unsupported} when the model exceeds a message.
class ModelWriter {
 public:
  explicit ModelWriter(ModelParts parts);

  size_t size() const { return size_; }
  void write(const std::function<void(std::string_view)>& sink) const;

 private:
  // Serialized fields up to and from the place where a nested part belongs.
  struct Frame {
    std::string head, tail;
  };
  struct Initializer {
    Frame frame;
    Tensor content;
    bool raw = false;
    size_t size = 0;
  };
  template <typename Message>
  static Frame frame_of(const Message& message, int field);

  Frame model_, graph_;
  std::vector<Initializer> initializers_;
  size_t graph_size_ = 0;
  size_t size_ = 0;
};

}  // namespace halftone::onnx
