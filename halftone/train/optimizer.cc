#include "halftone/train/optimizer.h"

#include <algorithm>
#include <array>

#include "halftone/base/error.h"
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
  const auto found = std::find_if(kOptimizers.begin(), kOptimizers.end(),
                                  [&](const OptimizerInfo& info) { return info.name == request.name; });
  if (found == kOptimizers.end()) {
    std::vector<std::string_view> names;
    for (const OptimizerInfo& info : kOptimizers) names.push_back(info.name);
    fail(ErrorCode::InvalidArgument, "optimizer", "'{}' is not known, did you mean '{}'?", request.name,
         nearest_word(request.name, names));
  }
  StepWords words(request);
  auto optimizer = kOptimizerMakers.at(static_cast<size_t>(found - kOptimizers.begin()))(words, std::move(parameters));
  words.finish();
  return optimizer;
}

}  // namespace halftone::train
