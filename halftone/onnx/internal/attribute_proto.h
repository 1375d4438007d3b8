// AttributeProto to Attribute and back.
#pragma once

#include <string_view>

#include "halftone/graph/graph.h"
#include "halftone/onnx/internal/external_data.h"
#include "halftone/onnx/internal/proto.h"

namespace halftone::onnx {

// Takes the attribute out of `proto`. Numbers, strings, their lists and tensors become values; everything else
// (subgraphs, sparse tensors, types, lists of tensors, references to a function's attributes, kinds of attributes that
// these messages don't know) becomes an OpaqueAttribute, with external tensor data embedded.
// Errors: Error{InvalidModel} at `node` for an attribute without name or whose type and content disagree.
Attribute take_attribute(pb::AttributeProto& proto, ExternalData& external, std::string_view node);

// The converse.
pb::AttributeProto put_attribute(const Attribute& attribute);

}  // namespace halftone::onnx
