#include "halftone/train/optimizer.h"

#include <array>

#include "halftone/quant/step_words.h"

namespace halftone::train {

#define HT_OPTIMIZER(name, summary, source) \
  std::unique_ptr<Optimizer> make_##name##_optimizer(StepWords& words, std::vector<Parameter> parameters);
#include "halftone/train/optimizers.def"
#undef HT_OPTIMIZER

namespace {

#define HT_OPTIMIZER(name, summary, source) OptimizerInfo{#name, summary, source},
constexpr auto kOptimizers = std::to_array<OptimizerInfo>({
#include "halftone/train/optimizers.def"
});
#undef HT_OPTIMIZER

constexpr std::array kOptimizerMakers = {
#define HT_OPTIMIZER(name, summary, source) &make_##name##_optimizer,
#include "halftone/train/optimizers.def"
#undef HT_OPTIMIZER
};

}  // namespace

std::span<const OptimizerInfo> all_optimizers() { return kOptimizers; }

std::unique_ptr<Optimizer> make_optimizer(const StepRequest& request, std::vector<Parameter> parameters) {
  const size_t position = position_in(kOptimizers, request.name, "optimizer");
  StepWords words(request, "optimizer");
  auto optimizer = kOptimizerMakers.at(position)(words, std::move(parameters));
  words.finish();
  return optimizer;
}

}  // namespace halftone::train
