#include "halftone/runtime/rules/conv_weights.h"

#include <algorithm>

#include "halftone/runtime/layout.h"

namespace halftone::runtime {

int64_t ConvWeights::unit() const { return groups > 1 && oc > 1 ? oc : vector_floats(); }

ConvWeights arrange_weights(const Convolution& convolution, bool plain_src) {
  const ConvShape& shape = convolution.shape;
  const int64_t ic_per_group = shape.ic / shape.groups, oc_per_group = shape.oc / shape.groups;
  const int64_t block = vector_floats();
  int64_t merged = 1;  // groups of the model per group of ours
  ConvWeights result;
  if (shape.depthwise()) {
    result.groups = padded_channels(shape.groups);
  } else {
    while (merged < shape.groups &&
           (shape.groups % merged != 0 || merged * ic_per_group % block != 0 || merged * oc_per_group % block != 0)) {
      ++merged;
    }
    result.groups = shape.groups / merged;
    result.oc = padded_channels(merged * oc_per_group);
    result.ic = plain_src ? merged * ic_per_group : padded_channels(merged * ic_per_group);
  }
  const int64_t kernel = shape.kh * shape.kw;
  result.weights.assign(static_cast<size_t>(result.groups * result.oc * result.ic * kernel), 0.0f);
  for (int64_t oc = 0; oc < shape.oc; ++oc) {
    const int64_t group = oc / oc_per_group;
    const int64_t to_group = group / merged, to_oc = oc - to_group * merged * oc_per_group;
    const int64_t to_ic = group % merged * ic_per_group;
    std::copy_n(convolution.weights + oc * ic_per_group * kernel, ic_per_group * kernel,
                result.weights.begin() + ((to_group * result.oc + to_oc) * result.ic + to_ic) * kernel);
  }
  if (!convolution.bias.empty()) {
    // Without merging everything into one padded group, channels keep their numbers.
    result.bias = convolution.bias;
    result.bias.resize(static_cast<size_t>(result.dst_channels()), 0.0f);
  }
  return result;
}

}  // namespace halftone::runtime
