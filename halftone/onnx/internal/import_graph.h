// ModelProto to Graph.
#pragma once

#include "halftone/graph/graph.h"
#include "halftone/onnx/internal/external_data.h"
#include "halftone/onnx/internal/proto.h"

namespace halftone::onnx {

// Takes `model` apart; tensors change hands without a copy. Errors: as import_model, without the file's name.
Graph take_graph(pb::ModelProto& model, ExternalData& external);

}  // namespace halftone::onnx
