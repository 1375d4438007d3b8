// TensorProto to Tensor and back.
#pragma once

#include <string_view>

#include "halftone/onnx/internal/external_data.h"
#include "halftone/onnx/internal/proto.h"
#include "halftone/tensor/tensor.h"

namespace halftone::onnx {

// Takes dims, data_type and content out of `proto`, whichever field or file the content stands in, and leaves the rest.
// raw_data changes hands without a copy. Elements of a type whose size is unknown stay as they are: raw or
// external bytes become the Tensor's, typed fields remain in `proto`.
// Errors: Error{InvalidModel} at `where` for sizes that disagree and for elements outside the type's range.
Tensor take_tensor(pb::TensorProto& proto, ExternalData& external, std::string_view where);

// The converse: writes dims and data_type into `proto`, which holds what take_tensor left.
void put_type(const Tensor& tensor, pb::TensorProto& proto);
// Writes the content: string_data for strings, raw_data for everything else.
void put_content(const Tensor& tensor, pb::TensorProto& proto);

// True when the content goes into raw_data.
bool has_raw_content(const Tensor& tensor, const pb::TensorProto& proto);

// Replaces external content of every tensor inside `message` by content in the message, for those parts of a model that
// are carried unread: their references would break when the model moves. Errors: as take_tensor, and Error{Unsupported}
// beyond what a message holds.
void embed_external_data(google::protobuf::Message& message, ExternalData& external, std::string_view where);

}  // namespace halftone::onnx
