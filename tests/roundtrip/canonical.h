// The canonicalizations of docs/onnx.md, done on messages alone, independently of import and export.
#pragma once

#include <onnx/onnx_pb.h>

namespace halftone::test {

// Changes `model` into what export(import(model)) must be, field by field. Covers what the models of the test material
// need; throws std::logic_error where they need more.
void canonicalize(::onnx::ModelProto& model);

}  // namespace halftone::test
