// Convolution weights with channels padded to whole blocks and groups merged to fill them.
#pragma once

#include <vector>

#include "halftone/runtime/rules/convolve.h"

namespace halftone::runtime {

struct ConvWeights {
  // weights[groups, oc, ic, kh, kw], oc and ic per group.
  int64_t groups = 1, oc = 1, ic = 1;
  std::vector<float> weights;
  std::vector<float> bias;  // groups * oc, or empty

  int64_t dst_channels() const { return groups * oc; }
  int64_t src_channels() const { return groups * ic; }
  // Output channels by which the convolution may be cut.
  int64_t unit() const;
};

// Depthwise convolutions keep one channel per group. Other groups are merged, with zeros between them, until each fills
// whole vector registers. `plain_src` leaves the input channels of a dense convolution as they are.
ConvWeights arrange_weights(const Convolution& convolution, bool plain_src);

}  // namespace halftone::runtime
