// Decoded and preprocessed samples, prepared on all cores ahead of their use.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "halftone/data/dataset.h"
#include "halftone/data/preprocess.h"

namespace halftone::data {

// Network inputs of one or several samples.
struct Batch {
  int64_t first_index = 0;                     // of its first sample in the data set's order
  TensorMap inputs;                            // by input name; dimension 0 counts the samples
  std::vector<std::optional<int64_t>> labels;  // already in the model's numbering (label_offset added)
  std::vector<std::string> ids;
};

struct InputPort {
  std::string name;
  DType dtype = DType::Float;
  std::vector<int64_t> shape;  // dimension 0 is the batch; -1 where any size will do
};

struct LoaderOptions {
  int64_t batch_size = 1;
  int threads = 1;    // decoding threads, beside the caller's
  int64_t queue = 8;  // batches prepared ahead
};

// Order is the data set's, whatever the threads do; memory is bounded by the queue. The last batch may be smaller.
// Errors: Error{InvalidData} from next() naming the sample: undecodable, of a shape that the input can't take, ...
class Loader {
 public:
  Loader(std::unique_ptr<Dataset> dataset, std::optional<Preprocess> recipe, std::vector<InputPort> inputs,
         LoaderOptions options = {});
  ~Loader();
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  std::optional<Batch> next();
  std::optional<int64_t> size() const;  // samples in all, where the source knows

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace halftone::data
