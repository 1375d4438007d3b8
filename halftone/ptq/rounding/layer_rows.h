// What a layer reads and what it should make of it, at a number of places in the samples.
#pragma once

#include <cstdint>
#include <vector>

#include "halftone/graph/graph.h"
#include "halftone/tensor/tensor.h"
#include "halftone/transform/layer_weights.h"

namespace halftone::ptq {

// How a layer's sums are made up. Each output channel of group g is a sum over the `features` inputs of that group:
// input channels times kernel taps for convolutions.
struct LayerShape {
  int64_t groups = 1, features = 1, channels = 1;  // the latter two per group
  // Where feature f of channel c (of all channels) lies in the weights.
  int64_t weight_offset(int64_t c, int64_t f) const;

  transform::WeightLayout layout;
};
LayerShape layer_shape(const transform::WeightLayout& layout);

// One output position to a row, chosen from all of the samples.
struct LayerRows {
  int64_t count = 0;
  std::vector<float> inputs;   // count x groups x features: what the quantized network hands to the layer
  std::vector<float> targets;  // count x groups x channels: what the float network's layer makes
  // Where the layer's result is only ever added to something, the same of the sum: `targets` are the float network's
  // sums, and `others` what the quantized network adds to the layer's result. Empty: nothing.
  std::vector<float> others;
};

// Copies rows out of a layer's input, or of its output.
class RowReader {
 public:
  // `x` is the shape of what the node reads. Errors: Error{InvalidModel} for one that contradicts the node.
  RowReader(const Graph& graph, const Node& node, const LayerShape& layer, const Shape& x);

  // Output positions, of all samples in the tensors.
  int64_t positions() const { return positions_; }
  // Of one channel of the input; 1 for layers without space.
  int64_t in_area() const { return in_area_; }
  // Input offset (within a channel's plane) of each tap for the output position, -1 in the padding.
  void tap_offsets(int64_t position, std::vector<int64_t>& offsets) const;
  // groups x features numbers.
  void read_inputs(const float* x, int64_t position, float* row) const;
  // Errors: InternalError for a result of another shape than the node makes.
  void check_targets(const Shape& y) const;
  // groups x channels numbers.
  void read_targets(const float* y, int64_t position, float* row) const;

 private:
  LayerShape layer_;
  bool spatial_ = false, transposed_ = false;
  int64_t positions_ = 0, in_area_ = 1, out_area_ = 1;
  struct Axis {
    int64_t in = 1, out = 1, kernel = 1, stride = 1, dilation = 1, pad = 0;
  } axes_[3];
};

// `quota` positions out of `positions`, ascending and spread evenly, or all where there are fewer. Deterministic.
std::vector<int64_t> choose_positions(int64_t positions, int64_t quota, uint64_t seed, uint64_t stream);

}  // namespace halftone::ptq
