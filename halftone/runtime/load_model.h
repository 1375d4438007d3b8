// ONNX files as networks that a Session runs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>

#include "halftone/quant/encodings.h"

namespace halftone {

struct LoadedModel {
  std::filesystem::path path;  // empty for a model from memory
  QuantizedModel model;        // verified, shapes inferred
  int64_t size_bytes = 0;      // of the file and the data that lie beside it
};

// Reads a network, float or quantized. What other quantizers write is understood as well as Halftone's own files: Q/DQ
// nodes, QLinear*, ConvInteger, MatMulInteger and dynamic quantization become encodings (transform/fold_qdq.h), and
// what can't stands in float_reasons. Errors: Error{Io} when a file can't be read, Error{InvalidModel} naming the place
// for anything damaged.
LoadedModel load_model(const std::filesystem::path& path);

// The same from an ONNX message in memory, which is not needed afterwards. External data is looked for in `folder`;
// with an empty one it is refused. size_bytes is the message's.
LoadedModel load_model(std::span<const std::byte> bytes, const std::filesystem::path& folder = {});

}  // namespace halftone
