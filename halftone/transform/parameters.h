// Which values of a network are parameters, what has them or not, and what their sizes should depend on.
#pragma once

#include <map>

#include "halftone/graph/graph.h"

namespace halftone::transform {

enum class ParameterKind {
  Weights,  // of a product
  Table,    // rows that are looked up or added: embeddings, learned positions
  Slope,    // of PRelu
  Scale,    // what normalization multiplies by, and variances
  Shift,    // biases, what normalization adds, and means
};

struct Parameter {
  ParameterKind kind = ParameterKind::Shift;
  // Weights only. How many weights meet in one element of the result, in the average where a transposed convolution's
  // stride makes them differ; how many elements of the result one weight's operand goes into, strides of convolutions
  // aside, as the papers count; the gain of the function behind (gain.h).
  double fan_in = 0, fan_out = 0, gain = 1;
};

// Where slopes of PRelu begin (He et al. 2015, section 2.1).
inline constexpr float kFirstSlope = 0.25F;

enum class Parameters {
  Missing,  // inputs of the graph that nothing but a parameter can be, as files without weights have them
  All,      // those, and the ones that have content
};

// The parameters, by value; `graph` has its types inferred. Parameters are: weights and biases of Conv, ConvTranspose,
// Gemm and MatMul (of two operands without content, the second; an Identity or a turned matrix in between is looked
// through); all but the first operand of BatchNormalization, LayerNormalization, RMSNormalization,
// InstanceNormalization, GroupNormalization and PRelu; tables of Gather; vectors that are added or multiplied to what a
// node computes; and arrays that are added to it, as positions are.
//
// A missing one must have a shape of known numbers, real elements, no other reader, and what it is added to must have
// another shape: otherwise it is data. Of those with content, nothing that is multiplied counts (it may be any
// constant), of what is added only vectors right behind a product, and positions that a LayerNormalization reads. So a
// normalization that a file spells out in primitive operators keeps its own.
//
// Errors: Error{InvalidModel} where a Conv, a normalization or a PRelu reads an input of unknown shape as a parameter.
// Cost: O(edges).
std::map<ValueId, Parameter> find_parameters(const Graph& graph, Parameters which);

}  // namespace halftone::transform
