// What a ModelProto says beside its graph and functions: versions, operator sets, metadata.
#pragma once

#include "halftone/graph/graph.h"
#include "halftone/onnx/internal/proto.h"

namespace halftone::onnx {

// Takes ir_version, opset_import's versions and metadata_props' values; keys stay, for their order. Errors:
// Error{InvalidModel} for a model without graph, without versions, or with two versions of one operator set.
void take_header(pb::ModelProto& model, Graph& graph);

// The converse.
void put_header(const Graph& graph, pb::ModelProto& model);

}  // namespace halftone::onnx
