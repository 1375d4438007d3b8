// ValueInfoProto to Value and back.
#pragma once

#include <string_view>

#include "halftone/graph/graph.h"
#include "halftone/onnx/internal/proto.h"

namespace halftone::onnx {

// Takes the tensor type out of `proto` and leaves the rest: types that are no tensors, denotations, doc strings, and
// whatever a dimension says that is neither a number nor a symbol. Undefined and unranked for types that are no
// tensors. Errors: Error{InvalidModel} at `where` for dimensions that are negative (-1 is read as unknown, as its
// writers mean it) or whose product overflows.
TensorType take_tensor_type(pb::ValueInfoProto& proto, std::string_view where);

// The converse: writes name and type into `proto`, which holds what take_tensor_type left.
void put_tensor_type(const Value& value, pb::ValueInfoProto& proto);

// What both say of one value; an unknown gives way to what is known. Errors: Error{InvalidModel} at `where` when they
// contradict each other.
TensorType merge_types(const TensorType& a, const TensorType& b, std::string_view where);

}  // namespace halftone::onnx
