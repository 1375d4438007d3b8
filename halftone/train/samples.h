// Data sets as batches of tensors.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "halftone/data/loader.h"
#include "halftone/train/torch.h"
#include "halftone/train/train.h"

namespace halftone::train {

struct Samples {
  std::vector<at::Tensor> inputs;  // in the order of the network's
  data::Batch batch;               // labels and names

  int64_t count() const { return inputs.front().size(0); }
};

// The batches of one data set, prepared ahead on the loader's threads.
class SampleStream {
 public:
  SampleStream(std::unique_ptr<data::Dataset> dataset, const TrainOptions& options,
               const std::vector<data::InputPort>& inputs, int64_t batch);
  std::optional<Samples> next();

 private:
  std::vector<std::string> names_;
  data::Loader loader_;
};

// The training set in the order of an epoch, from its sample `first` on, changed as the recipe says.
std::unique_ptr<data::Dataset> open_epoch(const TrainOptions& options, int64_t epoch, int64_t first);

}  // namespace halftone::train
