// ONNX's messages. Only the room onnx includes this; no header of the room outside internal/ shows protobuf.
#pragma once

#include <onnx/onnx_pb.h>

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "halftone/base/error.h"

namespace halftone::onnx {

namespace pb = ::onnx;

// The `carried` strings of Graph, Value, Node and Attribute hold serialized messages from which the fields that
// Halftone models have been cleared, so that export can start from them and put the modelled fields back:
//
//   Graph.carried       ModelProto. opset_import and metadata_props keep their keys, for the order; graph.value_info
//                       keeps its names, for the order, and whole entries for names that the graph does not have.
//   Node.carried        NodeProto. `name` and `domain` stay when set to "" (and `domain` when it is "ai.onnx"). The
//                       attribute kSparseInitializer marks a Constant node that stands for a sparse initializer.
//   Attribute.carried   AttributeProto; in `t` what a tensor says beyond type, shape, name and content.
//   Value.carried       GraphProto with at most one `input`, `output`, `value_info` and `initializer`: what the value's
//                       entries in these lists say beyond name and tensor type.
template <typename Message>
Message from_carried(const std::string& carried) {
  Message message;
  HT_CHECK(message.ParseFromString(carried), "carried {} of {} bytes", message.GetTypeName(), carried.size());
  return message;
}

inline constexpr std::string_view kSparseInitializer = "halftone.sparse_initializer";

// A message is at most 2 GiB: protobuf counts bytes in an int.
inline constexpr size_t kMaxMessageBytes = 0x7fffffff;

// How an error message shows a name from a file: quoted, and cut when it is absurdly long.
std::string show_name(std::string_view name);

// "Conv 'features.0'", "Conv making 'x'" or "Conv".
std::string describe(const pb::NodeProto& node);

// Calls `visit` for every TensorProto inside `message`, at any depth.
void for_each_tensor(google::protobuf::Message& message, const std::function<void(pb::TensorProto&)>& visit);

}  // namespace halftone::onnx
