#include "halftone/onnx/internal/attribute_proto.h"

#include <utility>

#include "halftone/onnx/internal/tensor_proto.h"

namespace halftone::onnx {
namespace {

using Type = pb::AttributeProto::AttributeType;

bool has_content(const pb::AttributeProto& proto) {
  return proto.has_f() || proto.has_i() || proto.has_s() || proto.has_t() || proto.has_g() ||
         proto.has_sparse_tensor() || proto.has_tp() || proto.floats_size() > 0 || proto.ints_size() > 0 ||
         proto.strings_size() > 0 || proto.tensors_size() > 0 || proto.graphs_size() > 0 ||
         proto.sparse_tensors_size() > 0 || proto.type_protos_size() > 0;
}

// Files of IR version 1 have no `type`; their content tells. UNDEFINED where it does not, or where the type is one that
// these messages don't know, which protobuf keeps as an unknown field.
Type type_of(const pb::AttributeProto& proto) {
  if (proto.has_type() || !proto.unknown_fields().empty()) return proto.type();
  if (proto.has_f()) return pb::AttributeProto::FLOAT;
  if (proto.has_i()) return pb::AttributeProto::INT;
  if (proto.has_s()) return pb::AttributeProto::STRING;
  if (proto.has_t()) return pb::AttributeProto::TENSOR;
  if (proto.floats_size() > 0) return pb::AttributeProto::FLOATS;
  if (proto.ints_size() > 0) return pb::AttributeProto::INTS;
  if (proto.strings_size() > 0) return pb::AttributeProto::STRINGS;
  return pb::AttributeProto::UNDEFINED;
}

OpaqueAttribute take_opaque(pb::AttributeProto& proto, ExternalData& external, std::string_view where) {
  embed_external_data(proto, external, where);
  OpaqueAttribute opaque{proto.SerializeAsString()};
  proto.Clear();
  return opaque;
}

AttributeValue take_value(pb::AttributeProto& proto, ExternalData& external, std::string_view where) {
  const Type type = proto.has_ref_attr_name() ? pb::AttributeProto::UNDEFINED : type_of(proto);
  switch (type) {
    case pb::AttributeProto::FLOAT: {
      const float value = proto.f();
      proto.clear_f();
      return value;
    }
    case pb::AttributeProto::INT: {
      const int64_t value = proto.i();
      proto.clear_i();
      return value;
    }
    case pb::AttributeProto::STRING: {
      std::string value = std::move(*proto.mutable_s());
      proto.clear_s();
      return value;
    }
    case pb::AttributeProto::TENSOR: {
      Tensor value = take_tensor(*proto.mutable_t(), external, where);
      if (proto.t().ByteSizeLong() == 0) proto.clear_t();
      return value;
    }
    case pb::AttributeProto::FLOATS: {
      std::vector<float> values(proto.floats().begin(), proto.floats().end());
      proto.clear_floats();
      return values;
    }
    case pb::AttributeProto::INTS: {
      std::vector<int64_t> values(proto.ints().begin(), proto.ints().end());
      proto.clear_ints();
      return values;
    }
    case pb::AttributeProto::STRINGS: {
      std::vector<std::string> values(proto.strings().begin(), proto.strings().end());
      proto.clear_strings();
      return values;
    }
    default:
      return take_opaque(proto, external, where);
  }
}

struct PutValue {
  pb::AttributeProto& proto;

  void operator()(int64_t value) const {
    proto.set_type(pb::AttributeProto::INT);
    proto.set_i(value);
  }
  void operator()(float value) const {
    proto.set_type(pb::AttributeProto::FLOAT);
    proto.set_f(value);
  }
  void operator()(const std::string& value) const {
    proto.set_type(pb::AttributeProto::STRING);
    proto.set_s(value);
  }
  void operator()(const Tensor& value) const {
    proto.set_type(pb::AttributeProto::TENSOR);
    put_type(value, *proto.mutable_t());
    put_content(value, *proto.mutable_t());
  }
  void operator()(const std::vector<int64_t>& values) const {
    proto.set_type(pb::AttributeProto::INTS);
    proto.mutable_ints()->Assign(values.begin(), values.end());
  }
  void operator()(const std::vector<float>& values) const {
    proto.set_type(pb::AttributeProto::FLOATS);
    proto.mutable_floats()->Assign(values.begin(), values.end());
  }
  void operator()(const std::vector<std::string>& values) const {
    proto.set_type(pb::AttributeProto::STRINGS);
    proto.mutable_strings()->Assign(values.begin(), values.end());
  }
  void operator()(const OpaqueAttribute& opaque) const { proto = from_carried<pb::AttributeProto>(opaque.serialized); }
};

}  // namespace

Attribute take_attribute(pb::AttributeProto& proto, ExternalData& external, std::string_view node) {
  if (proto.name().empty()) fail(ErrorCode::InvalidModel, node, "an attribute must have a name, found none");
  Attribute attribute;
  attribute.name = proto.name();
  const std::string where = fmt::format("{}, attribute {}", node, show_name(attribute.name));
  attribute.value = take_value(proto, external, where);
  if (std::holds_alternative<OpaqueAttribute>(attribute.value)) return attribute;
  proto.clear_name();
  proto.clear_type();
  // What a tensor says beyond its content stands in `t`; any other content left contradicts the type.
  pb::TensorProto tensor_rest;
  const bool has_tensor_rest = std::holds_alternative<Tensor>(attribute.value) && proto.has_t();
  if (has_tensor_rest) {
    tensor_rest.Swap(proto.mutable_t());
    proto.clear_t();
  }
  if (has_content(proto)) {
    fail(ErrorCode::InvalidModel, where, "content must stand in the field of the attribute's type, found another");
  }
  if (has_tensor_rest) proto.mutable_t()->Swap(&tensor_rest);
  attribute.carried = proto.SerializeAsString();
  return attribute;
}

pb::AttributeProto put_attribute(const Attribute& attribute) {
  auto proto = from_carried<pb::AttributeProto>(attribute.carried);
  // The value may have been replaced by one of another kind.
  if (!std::holds_alternative<Tensor>(attribute.value)) proto.clear_t();
  std::visit(PutValue{proto}, attribute.value);
  proto.set_name(attribute.name);
  return proto;
}

}  // namespace halftone::onnx
