// Random changes of images while a network trains, so that it sees none of them twice.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "halftone/base/rng.h"
#include "halftone/data/dataset.h"
#include "halftone/quant/step_request.h"

namespace halftone::train {

// One kind of change, of images as the source has them: 8 bits, before preprocessing. Immutable; any number of threads.
class Augmentation {
 public:
  virtual ~Augmentation() = default;
  // What it does is decided by the numbers that it draws alone. The size stays.
  virtual void apply(data::Image& image, Rng& rng) const = 0;
};

struct AugmentationInfo {
  std::string_view name, summary, source;
};
// The lines of augmentations.def.
std::span<const AugmentationInfo> all_augmentations();

// Errors: Error{InvalidArgument} for an unknown name or word, with the nearest known one.
std::unique_ptr<Augmentation> make_augmentation(const StepRequest& request);

// The data set with every image changed by all of `requests`, one after the other. The work is done by
// Record::decode, that is by the loader's threads. Sample i of the stream draws from (seed, first + i) and nothing
// else: training that goes on after n samples of an epoch opens the set with skip = n, and passes first = n, to see
// what it would have seen. Errors: those of make_augmentation; from decode, Error{InvalidData} for samples that are no
// images.
std::unique_ptr<data::Dataset> augmented(std::unique_ptr<data::Dataset> dataset,
                                         const std::vector<StepRequest>& requests, uint64_t seed, int64_t first = 0);

}  // namespace halftone::train
