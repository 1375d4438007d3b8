// FunctionProto to Function and back.
#pragma once

#include "halftone/graph/graph.h"
#include "halftone/onnx/internal/proto.h"

namespace halftone::onnx {

// Moves the model's functions into `graph`, unread but for their names.
void take_functions(pb::ModelProto& model, Graph& graph);

// The converse. Constants of a body become Constant nodes, as a function has no initializers.
pb::FunctionProto put_function(const Function& function);

}  // namespace halftone::onnx
