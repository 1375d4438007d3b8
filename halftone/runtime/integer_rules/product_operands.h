// What a product of activations and constant weights is made of, read from the node being lowered.
#pragma once

#include <cstdint>
#include <string>

#include "halftone/kernels/conv/conv.h"
#include "halftone/runtime/conv_shape.h"
#include "halftone/runtime/integer_rules/int8_weights.h"
#include "halftone/runtime/lowering.h"

namespace halftone::runtime {

// Sets beyond which a layer is left to the reference: weights of more than 8 bits.
inline constexpr int64_t kMostWeightSets = 3;

// MatMul and Gemm: activations [rows, depth] times weights [depth, columns].
struct MatrixOperands {
  int64_t rows = 0, depth = 0, columns = 0;
  Shape result;
  Int8Weights weights;  // [columns][set][depth]
};

// Fills in `operands` and returns "", or says what keeps the kernels from computing the product.
std::string read_operands(const Lowering& lowering, MatrixOperands& operands);

// The same for the geometry of a Conv or ConvTranspose.
std::string read_shape(const Lowering& lowering, ConvShape& shape);

// The weights of a Conv, [output channel][set][tap][input channel of the group].
Int8Weights conv_weights(const IntegerNode& plan, const ConvShape& shape);

// The shapes as kernels take them; a matrix product is a convolution of one pixel per row. Pixel strides of codes
// without gaps; that of the result is the caller's.
kernels::ConvShape kernel_shape(const MatrixOperands& operands);
kernels::ConvShape kernel_shape(const ConvShape& shape, const Int8Weights& weights);

}  // namespace halftone::runtime
