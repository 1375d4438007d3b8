#include "halftone/onnx/internal/value_info.h"

#include <algorithm>

namespace halftone::onnx {
namespace {

constexpr int kMaxDeclaredRank = 256;

// Clears what the returned Dim says. "dim_value: -1" and "dim_param: ''" say nothing, so they stay.
Dim take_dim(pb::TensorShapeProto::Dimension& proto, std::string_view where) {
  if (proto.has_dim_value()) {
    const int64_t value = proto.dim_value();
    if (value < -1) fail(ErrorCode::InvalidModel, where, "dimensions must be >= 0, found {}", value);
    if (value == -1) return {};
    proto.clear_dim_value();
    return value;
  }
  if (proto.dim_param().empty()) return {};
  Dim dim{proto.dim_param()};
  proto.clear_dim_param();
  return dim;
}

void put_dim(const Dim& dim, pb::TensorShapeProto::Dimension& proto) {
  if (dim.known()) {
    proto.set_dim_value(dim.value);
  } else if (!dim.symbol.empty()) {
    proto.set_dim_param(dim.symbol);
  }
}

std::vector<Dim> take_dims(pb::TensorShapeProto& proto, std::string_view where) {
  if (proto.dim_size() > kMaxDeclaredRank) {
    fail(ErrorCode::InvalidModel, where, "a tensor must have at most {} dimensions, found {}", kMaxDeclaredRank,
         proto.dim_size());
  }
  std::vector<Dim> dims;
  dims.reserve(static_cast<size_t>(proto.dim_size()));
  int64_t product = 1;
  for (auto& dim : *proto.mutable_dim()) {
    dims.push_back(take_dim(dim, where));
    if (dims.back().value > 0 && __builtin_mul_overflow(product, dims.back().value, &product)) {
      fail(ErrorCode::InvalidModel, where, "the product of the dimensions must be below 2^63, found the shape {}",
           to_string(TensorType{DType::Undefined, dims}));
    }
  }
  return dims;
}

bool says_nothing(const pb::TensorShapeProto& proto) {
  return std::all_of(proto.dim().begin(), proto.dim().end(), [](const auto& dim) { return dim.ByteSizeLong() == 0; }) &&
         proto.unknown_fields().empty();
}

}  // namespace

TensorType take_tensor_type(pb::ValueInfoProto& proto, std::string_view where) {
  proto.clear_name();
  TensorType type;
  if (!proto.type().has_tensor_type()) return type;
  auto& tensor = *proto.mutable_type()->mutable_tensor_type();
  type.dtype = static_cast<DType>(tensor.elem_type());
  if (type.dtype != DType::Undefined) tensor.clear_elem_type();
  if (tensor.has_shape()) {
    type.shape = take_dims(*tensor.mutable_shape(), where);
    if (says_nothing(tensor.shape())) tensor.clear_shape();
  }
  // The ordinary type says no more than its TensorType; it leaves no trace.
  if (tensor.ByteSizeLong() == 0 && type != TensorType{}) {
    proto.mutable_type()->clear_tensor_type();
    if (proto.type().ByteSizeLong() == 0) proto.clear_type();
  }
  return type;
}

void put_tensor_type(const Value& value, pb::ValueInfoProto& proto) {
  proto.set_name(value.name);
  const TensorType& type = value.type;
  const bool other_kind = proto.type().value_case() != pb::TypeProto::VALUE_NOT_SET && !proto.type().has_tensor_type();
  if (type == TensorType{} || other_kind) return;
  auto& tensor = *proto.mutable_type()->mutable_tensor_type();
  if (type.dtype != DType::Undefined) tensor.set_elem_type(static_cast<int32_t>(type.dtype));
  if (!type.shape) {
    tensor.clear_shape();
    return;
  }
  auto& dims = *tensor.mutable_shape()->mutable_dim();
  // Another rank than the file's: what it said of single dimensions has lost its place.
  if (dims.size() != static_cast<int>(type.shape->size())) dims.Clear();
  for (size_t i = 0; i < type.shape->size(); ++i) {
    const int at = static_cast<int>(i);
    put_dim((*type.shape)[i], at < dims.size() ? dims[at] : *dims.Add());
  }
}

TensorType merge_types(const TensorType& a, const TensorType& b, std::string_view where) {
  const auto contradiction = [&] {
    fail(ErrorCode::InvalidModel, where, "must have one type throughout the model, found {} and {}", to_string(a),
         to_string(b));
  };
  TensorType merged = a;
  if (merged.dtype == DType::Undefined) merged.dtype = b.dtype;
  if (b.dtype != DType::Undefined && b.dtype != merged.dtype) contradiction();
  if (!b.shape) return merged;
  if (!merged.shape) {
    merged.shape = b.shape;
    return merged;
  }
  if (merged.shape->size() != b.shape->size()) contradiction();
  for (size_t i = 0; i < b.shape->size(); ++i) {
    Dim& dim = (*merged.shape)[i];
    const Dim& other = (*b.shape)[i];
    if (dim.known() && other.known() && dim != other) contradiction();
    if (other.known() || (!dim.known() && dim.symbol.empty())) dim = other;
  }
  return merged;
}

}  // namespace halftone::onnx
