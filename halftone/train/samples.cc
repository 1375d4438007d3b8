#include "halftone/train/samples.h"

#include "halftone/base/cpu.h"
#include "halftone/train/augment.h"
#include "halftone/train/tensors.h"

namespace halftone::train {
namespace {

// Batches prepared ahead: enough to bridge a slow image, few enough to be no matter for memory.
constexpr int64_t kQueue = 4;

data::LoaderOptions loader_options(const TrainOptions& options, int64_t batch) {
  const int threads = options.threads > 0 ? options.threads : available_cores();
  return {.batch_size = batch, .threads = threads, .queue = kQueue};
}

}  // namespace

SampleStream::SampleStream(std::unique_ptr<data::Dataset> dataset, const TrainOptions& options,
                           const std::vector<data::InputPort>& inputs, int64_t batch)
    : loader_(std::move(dataset), options.preprocess, inputs, loader_options(options, batch)) {
  for (const data::InputPort& input : inputs) names_.push_back(input.name);
}

std::optional<Samples> SampleStream::next() {
  std::optional<data::Batch> batch = loader_.next();
  if (!batch) return std::nullopt;
  Samples samples;
  for (const std::string& name : names_) samples.inputs.push_back(to_torch(batch->inputs.at(name)));
  batch->inputs.clear();
  samples.batch = std::move(*batch);
  return samples;
}

std::unique_ptr<data::Dataset> open_epoch(const TrainOptions& options, int64_t epoch, int64_t first) {
  // Streams of one seed are independent: what is drawn for an epoch says nothing about the next.
  const uint64_t order = Rng(options.recipe.seed, static_cast<uint64_t>(2 * epoch)).next();
  const uint64_t changes = Rng(options.recipe.seed, static_cast<uint64_t>(2 * epoch + 1)).next();
  auto dataset = data::open_dataset(options.training, {.limit = 0, .shuffle_seed = order, .skip = first});
  if (options.recipe.augment.empty()) return dataset;
  return augmented(std::move(dataset), options.recipe.augment, changes, first);
}

}  // namespace halftone::train
