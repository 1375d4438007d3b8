// The typed fields of a TensorProto (float_data, int32_data ...).
#pragma once

#include <string>
#include <string_view>

#include "halftone/onnx/internal/proto.h"
#include "halftone/tensor/dtype.h"

namespace halftone::onnx {

// The field in which ONNX keeps elements of this type when not in raw_data, e.g. "int32_data" for Int8; "" for types
// that ONNX does not describe. Source: comments of onnx.proto, TensorProto.
std::string_view typed_field(DType dtype);

// How many of the typed fields hold something, and the name of the last that does.
struct FilledFields {
  int count = 0;
  std::string_view name;
};
FilledFields filled_fields(const pb::TensorProto& proto);

// The elements of the type's field as raw_data would hold them. int32_data holds one element per entry, sub-byte types
// one byte of packed elements per entry. Errors: Error{InvalidModel} at `where` for an entry outside the type's range.
std::string typed_bytes(const pb::TensorProto& proto, DType dtype, std::string_view where);

void clear_typed_fields(pb::TensorProto& proto);

}  // namespace halftone::onnx
