#include "halftone/train/loss.h"

#include "halftone/quant/step_words.h"

namespace halftone::train {

#define HT_LOSS(name, labels, teacher, summary, source) std::unique_ptr<Loss> make_##name##_loss(StepWords& words);
#include "halftone/train/losses.def"
#undef HT_LOSS

namespace {

constexpr LossInfo kLosses[] = {
#define HT_LOSS(name, labels, teacher, summary, source) {#name, labels, teacher, summary, source},
#include "halftone/train/losses.def"
#undef HT_LOSS
};

using MakeLoss = std::unique_ptr<Loss> (*)(StepWords&);
constexpr MakeLoss kLossMakers[] = {
#define HT_LOSS(name, labels, teacher, summary, source) make_##name##_loss,
#include "halftone/train/losses.def"
#undef HT_LOSS
};

}  // namespace

std::span<const LossInfo> all_losses() { return kLosses; }

const LossInfo& find_loss(std::string_view name) { return kLosses[position_in(kLosses, name, "loss")]; }

std::unique_ptr<Loss> make_loss(const StepRequest& request) {
  const auto position = static_cast<size_t>(&find_loss(request.name) - kLosses);
  StepWords words(request);
  words.number("weight", 1, 0, 1e9);
  std::unique_ptr<Loss> loss = kLossMakers[position](words);
  words.finish();
  return loss;
}

double weight_of(const StepRequest& request) { return StepWords(request).number("weight", 1, 0, 1e9); }

}  // namespace halftone::train
