#include "halftone/train/mixup.h"

#include <cmath>
#include <numeric>

#include "halftone/base/error.h"
#include "halftone/quant/step_words.h"

namespace halftone::train {
namespace {

double log_uniform(Rng& rng) { return std::log(1 - rng.uniform()); }  // of (0, 1]

// The logarithm of a gamma variate of the given shape. Below 1 it is that of shape + 1 times u^(1 / shape).
double log_gamma_variate(double shape, Rng& rng) {
  if (shape < 1) {
    const double power = log_uniform(rng) / shape;
    return log_gamma_variate(shape + 1, rng) + power;
  }
  const double d = shape - 1.0 / 3, c = 1 / std::sqrt(9 * d);
  for (;;) {
    const double x = rng.normal();
    const double root = 1 + c * x;
    if (root <= 0) continue;
    const double v = root * root * root;
    if (log_uniform(rng) < 0.5 * x * x + d - d * v + d * std::log(v)) return std::log(d * v);
  }
}

}  // namespace

double draw_beta(double a, double b, Rng& rng) {
  const double x = log_gamma_variate(a, rng), y = log_gamma_variate(b, rng);
  return 1 / (1 + std::exp(y - x));
}

Mixed mixup(const at::Tensor& inputs, const at::Tensor& targets, double alpha, uint64_t seed, uint64_t step) {
  HT_CHECK(inputs.dim() > 0 && (!targets.defined() || targets.size(0) == inputs.size(0)), "batches of one size");
  Rng rng(seed, step);
  const double share = draw_beta(alpha, alpha, rng);
  std::vector<int64_t> order(static_cast<size_t>(inputs.size(0)));
  std::iota(order.begin(), order.end(), 0);
  rng.shuffle(order);
  const at::Tensor partners = at::tensor(order, at::kLong);
  const auto mix = [&](const at::Tensor& batch) {
    return batch.mul(share).add_(batch.index_select(0, partners), 1 - share);
  };
  return {mix(inputs), targets.defined() ? mix(targets) : targets, share};
}

double mixup_alpha(const StepRequest& request) {
  if (request.name != "mixup") {
    fail(ErrorCode::InvalidArgument, "mixup", "a line like 'mixup:alpha=0.2' is required, found '{}'", request.name);
  }
  StepWords words(request, "augmentation");
  const double alpha = words.number("alpha", 0.2, 1e-3, 1e3);
  words.finish();
  return alpha;
}

}  // namespace halftone::train
