// Layers that multiply by constant weights, seen channel by channel: what passes that rescale or fold channels share.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "halftone/transform/rewrite.h"

namespace halftone::transform {

// How input and output channels lie in the weights of a Conv, ConvTranspose, Gemm or MatMul: [rows, columns, inner],
// where a row is one channel of the one side, and a column one channel of the other side among those of the row's
// group; inner is the kernel.
struct WeightLayout {
  int64_t rows = 0, columns = 0, inner = 1;
  int64_t groups = 1;
  bool rows_are_outputs = true;

  int64_t outputs() const { return rows_are_outputs ? rows : columns * groups; }
  int64_t inputs() const { return rows_are_outputs ? columns * groups : rows; }
  // Each output channel reads one input channel.
  bool depthwise() const { return groups > 1 && inputs() == groups; }

  // f(output channel, input channel, offset of the `inner` weights between them), in the tensor's order.
  template <typename F>
  void for_each(F&& f) const {
    for (int64_t row = 0; row < rows; ++row) {
      const int64_t first = row / (rows / groups) * columns;
      for (int64_t column = 0; column < columns; ++column) {
        const int64_t offset = (row * columns + column) * inner;
        if (rows_are_outputs)
          f(row, first + column, offset);
        else
          f(first + column, row, offset);
      }
    }
  }
};

// nullopt for other nodes and for weights that the node could not have.
std::optional<WeightLayout> weight_layout(const Node& node, const Shape& weights);

// The layer's bias as it is added to each output channel (Gemm's beta included); zeros where it has none. nullopt when
// it is no constant, may not be replaced, or differs within a channel.
std::optional<std::vector<double>> bias_of(const RewriteIndex& index, const Node& node, int64_t channels);

// Makes `bias` the layer's, in place of what it had or as a new input, and Gemm's beta 1. Not for MatMul.
void set_bias(Graph& graph, const GraphIndex& index, Node& node, const std::vector<double>& bias);

}  // namespace halftone::transform
