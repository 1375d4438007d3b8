#include "halftone/train/augment.h"

#include <fmt/ranges.h>

#include <utility>

#include "halftone/base/error.h"
#include "halftone/quant/step_words.h"

namespace halftone::train {

#define HT_AUGMENTATION(name, summary, source) \
  std::unique_ptr<Augmentation> make_##name##_augmentation(StepWords& words);
#include "halftone/train/augmentations.def"
#undef HT_AUGMENTATION

namespace {

constexpr AugmentationInfo kAugmentations[] = {
#define HT_AUGMENTATION(name, summary, source) {#name, summary, source},
#include "halftone/train/augmentations.def"
#undef HT_AUGMENTATION
};

using MakeAugmentation = std::unique_ptr<Augmentation> (*)(StepWords&);
constexpr MakeAugmentation kAugmentationMakers[] = {
#define HT_AUGMENTATION(name, summary, source) make_##name##_augmentation,
#include "halftone/train/augmentations.def"
#undef HT_AUGMENTATION
};

struct Named {
  std::string name;
  std::unique_ptr<Augmentation> augmentation;
};
using Chain = std::vector<Named>;

data::Sample changed(data::Sample sample, const Chain& chain, Rng rng) {
  for (const auto& [name, augmentation] : chain) {
    if (!sample.image) {
      fail(ErrorCode::InvalidData, sample.id,
           "the augmentation '{}' requires an image, found arrays; leave it out of the recipe", name);
    }
    augmentation->apply(*sample.image, rng);
  }
  return sample;
}

class Augmented : public data::Dataset {
 public:
  Augmented(std::unique_ptr<data::Dataset> dataset, Chain chain, uint64_t seed, int64_t first)
      : dataset_(std::move(dataset)),
        chain_(std::make_shared<const Chain>(std::move(chain))),
        seed_(seed),
        first_(first),
        position_(first) {}

  std::optional<int64_t> size() const override { return dataset_->size(); }

  std::optional<data::Record> next() override {
    std::optional<data::Record> record = dataset_->next();
    if (!record) return std::nullopt;
    record->decode = [decode = std::move(record->decode), chain = chain_,
                      rng = Rng(seed_, static_cast<uint64_t>(position_))] { return changed(decode(), *chain, rng); };
    ++position_;
    return record;
  }

  void rewind() override {
    dataset_->rewind();
    position_ = first_;
  }

 private:
  std::unique_ptr<data::Dataset> dataset_;
  std::shared_ptr<const Chain> chain_;  // records may outlive the set
  uint64_t seed_;
  int64_t first_, position_;
};

}  // namespace

std::span<const AugmentationInfo> all_augmentations() { return kAugmentations; }

std::unique_ptr<Augmentation> make_augmentation(const StepRequest& request) {
  const size_t position = position_in(kAugmentations, request.name, "augmentation");
  StepWords words(request, "augmentation");
  std::unique_ptr<Augmentation> augmentation = kAugmentationMakers[position](words);
  words.finish();
  return augmentation;
}

std::unique_ptr<data::Dataset> augmented(std::unique_ptr<data::Dataset> dataset,
                                         const std::vector<StepRequest>& requests, uint64_t seed, int64_t first) {
  Chain chain;
  for (const StepRequest& request : requests) chain.push_back({request.name, make_augmentation(request)});
  return std::make_unique<Augmented>(std::move(dataset), std::move(chain), seed, first);
}

}  // namespace halftone::train
