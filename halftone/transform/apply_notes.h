// What quantized files say about encodings beside their nodes. Internal to fold_qdq.
#pragma once

#include "halftone/quant/encoding_notes.h"
#include "halftone/quant/encodings.h"

namespace halftone {

// Gives the encodings of a folded model what the notes know: specs, codes fewer than the type's, bits by channel. What
// write_bounds (code_bounds.h) put in front of activations becomes part of their encodings. Notes that the network
// contradicts are not believed.
void apply_notes(QuantizedModel& model, const EncodingNotes& notes);

}  // namespace halftone
