// What Quantize/Dequantize nodes can't say about encodings, as JSON for a model's metadata.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

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

struct EncodingNotes {
  std::map<std::string, EncodingNote, std::less<>> values;  // by value name
  std::map<std::string, std::string> float_reasons;
};

EncodingNotes make_notes(const QuantizedModel& model);

// {"version": 1, "specs": [...], "values": {name: {"spec": i, "codes": [q_min, q_max], "dtype": number in ONNX,
// "channel_bits": [...]}}, "float_reasons": {...}}
std::string to_json(const EncodingNotes& notes);
// Errors: Error{InvalidModel} for text that is not what to_json writes.
EncodingNotes parse_notes(std::string_view json);

}  // namespace halftone
