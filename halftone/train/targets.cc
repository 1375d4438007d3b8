#include "halftone/train/targets.h"

#include <algorithm>

#include "halftone/base/error.h"

namespace halftone::train {

at::Tensor targets_of(const data::Batch& batch, int64_t classes) {
  if (std::ranges::none_of(batch.labels, [](const auto& label) { return label.has_value(); })) return {};
  at::Tensor targets = at::zeros({static_cast<int64_t>(batch.labels.size()), classes});
  float* row = targets.data_ptr<float>();
  for (size_t i = 0; i < batch.labels.size(); ++i, row += classes) {
    const auto& label = batch.labels[i];
    if (!label) {
      fail(ErrorCode::InvalidData, batch.ids[i], "a label is required, as other samples have one, found none");
    }
    if (*label < 0 || *label >= classes) {
      fail(ErrorCode::InvalidData, batch.ids[i],
           "a label from 0 to {} is required, as the network has {} classes, found {}; correct the data set, or "
           "label_offset in the preprocessing recipe",
           classes - 1, classes, *label);
    }
    row[*label] = 1;
  }
  return targets;
}

}  // namespace halftone::train
