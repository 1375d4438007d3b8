// What subgraphs (the bodies of If, Loop, Scan) read from the graph around them.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "halftone/onnx/internal/proto.h"

namespace halftone::onnx {

// Names that the node's subgraphs read and do not make themselves, each once, in order of first use. Nesting is bounded
// by the depth to which protobuf parses (100 messages).
std::vector<std::string> outer_reads(const pb::NodeProto& node);

// Renames such reads. Errors: Error{Unsupported} when a subgraph already makes a value of the new name.
void rename_outer_reads(pb::NodeProto& node, const std::map<std::string, std::string>& renames);

}  // namespace halftone::onnx
