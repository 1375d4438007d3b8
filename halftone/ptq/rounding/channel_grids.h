// A weight tensor's grid, seen channel by channel in the order in which rounding settles the weights.
#pragma once

#include <cstdint>
#include <vector>

#include "halftone/ptq/rounding/layer_rows.h"
#include "halftone/quant/quant_params.h"
#include "halftone/tensor/tensor.h"

namespace halftone::ptq {

// One output channel's weights. All vectors have LayerShape::features elements, in the order of `offsets`.
struct ChannelWeights {
  std::vector<int64_t> offsets;    // in the weight tensor
  std::vector<double> real;        // the float weights
  std::vector<uint32_t> index;     // which of the grid's scales each has
  std::vector<int32_t> low, high;  // codes minus zero point
  std::vector<double> scale;
  std::vector<double> best;  // w*
  std::vector<int32_t> steps;

  double value(size_t i) const { return scale[i] * steps[i]; }
};

class ChannelGrids {
 public:
  // `order[g]` lists the features of group g as its channels are to have them.
  ChannelGrids(const LayerShape& shape, const std::vector<std::vector<int64_t>>& order, const Tensor& weights,
               const QuantParams& params, const QuantSpec& spec);

  std::vector<ChannelWeights>& channels() { return channels_; }
  const std::vector<ChannelWeights>& channels() const { return channels_; }

  // Channels that share a scale, directly or through others, are a unit: their scales can't be chosen apart.
  size_t unit_count() const { return unit_count_; }
  size_t unit_of(size_t channel) const { return units_[channel]; }

  const std::vector<float>& scales() const { return scales_; }
  // Scales that have to be equal (groups of channels) have the same class.
  size_t class_of(uint32_t index) const { return index / group_; }
  size_t class_count() const { return (scales_.size() + group_ - 1) / group_; }
  // How a channel's weights are scaled: by one class, which other channels may have as well; by several that are its
  // own (blocks); or by several of which others have some.
  enum class Sharing { OneClass, OwnClasses, Entangled };
  Sharing sharing(size_t channel) const { return sharing_[channel]; }
  // The scale that a class has.
  float scale_of(size_t of_class) const { return scales_[of_class * group_]; }
  // Gives all scales of a class the value; a channel sees it with read_scales.
  void set_scale(size_t of_class, float scale);
  void read_scales(ChannelWeights& channel) const;

  // The tensor that the steps stand for, on the grid that the scales are.
  Tensor weights() const;
  QuantParams params() const;

 private:
  Shape shape_;
  QuantParams params_;
  size_t group_ = 1;
  std::vector<float> scales_;
  std::vector<ChannelWeights> channels_;
  std::vector<size_t> units_;
  std::vector<Sharing> sharing_;
  size_t unit_count_ = 0;
};

}  // namespace halftone::ptq
