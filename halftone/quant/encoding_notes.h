// What Quantize/Dequantize nodes can't say about encodings, as JSON for a model's metadata.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "halftone/quant/encodings.h"

namespace halftone {

// The metadata key.
inline constexpr std::string_view kEncodingNotesKey = "halftone.encodings";

struct EncodingNote {
  QuantSpec spec;
  // Codes in use, where they are fewer than the type in the file has or channels differ in width.
  std::optional<std::pair<int64_t, int64_t>> codes;
  // The type of such codes, where it is not the narrowest.
  std::optional<DType> dtype = {};
  std::vector<int8_t> channel_bits = {};
};

// A node of the `dynamic` table, as it was before a file's operators took its place.
struct ProductNote {
  std::string op;  // "Conv", "Gemm", "MatMul"
  DynamicRange range = DynamicRange::PerTensor;
  std::string weights, bias;  // names of these constants; empty for a computed operand, and where there is none
  Shape bias_shape = {};
  std::vector<std::pair<std::string, double>> attributes = {};  // of a Gemm, in its order
};

struct EncodingNotes {
  std::map<std::string, EncodingNote, std::less<>> values;   // by value name
  std::map<std::string, ProductNote, std::less<>> products;  // by the name of their result
  std::map<std::string, std::string> float_reasons;
};

EncodingNotes make_notes(const QuantizedModel& model);

// {"version": 1, "specs": [...], "values": {name: {"spec": i, "codes": [q_min, q_max], "dtype": number in ONNX,
// "channel_bits": [...]}}, "float_reasons": {...}, "products": {name: {"op", "range": position in DynamicRange,
// "weights", "bias", "bias_shape": [...], "attributes": [[name, number], ...]}}}; no "products" where there are none.
std::string to_json(const EncodingNotes& notes);
// Errors: Error{InvalidModel} for text that is not what to_json writes.
EncodingNotes parse_notes(std::string_view json);

}  // namespace halftone
