// Products of codes whose grids are found at run time, as files hold them, to entries of the model's `dynamic` table.
#pragma once

#include "halftone/quant/encoding_notes.h"
#include "halftone/quant/encodings.h"

namespace halftone {

// The network with
//
//   DynamicQuantizeLinear -> ConvInteger or MatMulInteger -> Cast to float -> Mul with (scale of x * scale of w)
//
// as Conv or MatMul on the unrounded activation, constant weights with an encoding, and an entry in `dynamic`; ONNX
// Runtime's quantize_dynamic writes it, and insert_dynamic. It takes the other order of a Mul's operands, two
// activations, and what insert_dynamic writes for grids by row. An Add of one number per channel behind a convolution
// becomes its bias. The result keeps its name. What `notes` know of a product, it becomes again: a Gemm, with the names
// of its weights and bias; and products that were noted but written in float are in `dynamic` again. Notes that the
// nodes contradict are not believed.
//
// Products of codes that don't stand so stay, and float_reasons says why. Errors: Error{InvalidModel} naming the node
// and the value for scales that are not positive normal numbers and zero points of another type or number than the
// weights need. Cost: O(edges) and a pass over the weights.
QuantizedModel fold_dynamic(QuantizedModel model, const EncodingNotes& notes = {});

}  // namespace halftone
