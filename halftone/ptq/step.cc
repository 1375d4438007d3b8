#include "halftone/ptq/step.h"

#include <vector>

#include "halftone/base/error.h"

namespace halftone::ptq {

#define HT_STEP(name, phase, data, summary, source) void step_##name(Workbench* bench, StepWords& words);
#include "halftone/ptq/steps.def"
#undef HT_STEP

namespace {

[[maybe_unused]] constexpr bool kData = true, kNoData = false;
const std::vector<Step> kSteps = {
#define HT_STEP(name, phase, data, summary, source) {#name, Phase::phase, summary, source, k##data, &step_##name},
#include "halftone/ptq/steps.def"
#undef HT_STEP
};

}  // namespace

std::span<const Step> all_steps() { return kSteps; }

const Step& find_step(std::string_view name) {
  std::vector<std::string_view> names;
  for (const Step& step : kSteps) {
    if (step.name == name) return step;
    names.push_back(step.name);
  }
  fail(ErrorCode::InvalidArgument, "steps", "'{}' is no step, {}", name, did_you_mean(name, names));
}

void check_steps(std::span<const StepRequest> steps) {
  const StepRequest* model_step = nullptr;
  for (const StepRequest& request : steps) {
    const Step& step = find_step(request.name);
    if (step.phase == Phase::Model) {
      model_step = &request;
    } else if (model_step != nullptr) {
      fail(ErrorCode::InvalidArgument, "steps",
           "'{}' can't come after '{}': it rewrites the float network, and the grids that '{}' works with are made for "
           "the rewritten one; name it first",
           request.name, model_step->name, model_step->name);
    }
    StepWords words(request);
    step.function(nullptr, words);
  }
}

}  // namespace halftone::ptq
