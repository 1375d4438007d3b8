// A block of the network with slopes: what it computes for one sample, and how that depends on its parameters.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "halftone/ptq/blocks/block.h"
#include "halftone/ptq/blocks/learned_grid.h"
#include "halftone/ptq/rounding/layer_rows.h"

namespace halftone::ptq {

// Everything that the block's result depends on beside its input; and slopes of the same form.
struct BlockParameters {
  std::vector<std::vector<float>> weights;  // by layer: output channels x features, see LayerShape
  std::vector<std::vector<float>> biases;   // by layer: output channels
  std::vector<LearnedGrid> grids;           // of the values that are rounded
};
struct BlockSlopes {
  std::vector<std::vector<double>> weights, biases;
  std::vector<double> scales;
};

class BlockNet {
 public:
  struct Layer {
    int node = -1;  // position in graph.nodes()
    std::string weights;
    LayerShape shape;
    int64_t outputs() const { return shape.groups * shape.channels; }
  };

  // `model` has its types for one sample; the block is one of find_blocks.
  BlockNet(const QuantizedModel& model, const Block& block);

  const std::vector<Layer>& layers() const { return layers_; }
  // Values that are rounded, in the order of BlockParameters::grids.
  const std::vector<std::string>& rounded() const { return rounded_; }
  int64_t input_size() const { return sizes_.front(); }
  int64_t output_size() const { return sizes_.back(); }
  // Of all values together.
  int64_t elements() const;

  // What the model holds: rounded weights, biases, grids.
  BlockParameters parameters() const { return parameters_; }
  BlockSlopes no_slopes() const;

  // One sample's way through the block; a thread uses one Pass for sample after sample.
  class Pass {
   public:
    explicit Pass(const BlockNet& net);
    // Rounded values stay real where `dropped` says so, see drop_words(); empty: nowhere. The result is valid until the
    // next call.
    std::span<const float> forward(const BlockParameters& parameters, std::span<const float> x,
                                   std::span<const uint64_t> dropped);
    // Adds the slopes of a loss whose slope by the last result is `slope`.
    void backward(const BlockParameters& parameters, std::span<const float> slope, BlockSlopes& slopes);

   private:
    DropMask mask_of(int grid) const;

    const BlockNet& net_;
    std::vector<std::vector<float>> real_, values_, slopes_;  // by value: as computed, as rounded, the loss's slope
    std::vector<float> columns_;                              // a layer's inputs, features x positions of a group
    std::span<const uint64_t> dropped_;
  };
  // Words of random bits that drop rounding for all rounded values of a sample.
  int64_t drop_words() const { return first_word_.back(); }

 private:
  friend class Pass;
  enum class Kind { Layer, Clip, Add, Copy };
  struct Operation {
    Kind kind;
    int a = 0, b = 0;  // values that it reads
    int layer = -1;
    float low = 0, high = 0;
  };
  // Where a layer's taps lie in a plane of the input: taps x positions, -1 in the padding.
  struct Taps {
    int64_t positions = 0, taps = 0, in_area = 0;
    std::vector<int32_t> offsets;
    bool straight = false;  // one tap that reads position i at position i
  };

  void add_layer(const QuantizedModel& model, const Node& node, int position);
  void spread(const Layer& layer, const Taps& taps, const float* x, int64_t group, float* columns) const;
  void gather(const Layer& layer, const Taps& taps, const float* columns, int64_t group, float* x) const;

  // Value 0 is the input, value i + 1 the result of operation i.
  std::vector<Operation> operations_;
  std::vector<int64_t> sizes_;
  std::vector<int> grid_of_;  // by value: position in grids, or -1
  std::vector<Layer> layers_;
  std::vector<Taps> taps_;
  std::vector<std::string> rounded_;
  std::vector<int64_t> first_word_ = {0};
  BlockParameters parameters_;
};

}  // namespace halftone::ptq
