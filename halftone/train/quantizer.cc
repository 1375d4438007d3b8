#include "halftone/train/quantizer.h"

#include "halftone/quant/step_words.h"

namespace halftone::train {

#define HT_QUANTIZER(name, weights, activations, summary, source) \
  std::unique_ptr<Quantizer> make_##name(const Start& start, StepWords& words);
#include "halftone/train/quantizers.def"
#undef HT_QUANTIZER

namespace {

constexpr QuantizerInfo kQuantizers[] = {
#define HT_QUANTIZER(name, weights, activations, summary, source) {#name, weights, activations, summary, source},
#include "halftone/train/quantizers.def"
#undef HT_QUANTIZER
};

using MakeQuantizer = std::unique_ptr<Quantizer> (*)(const Start&, StepWords&);
constexpr MakeQuantizer kQuantizerMakers[] = {
#define HT_QUANTIZER(name, weights, activations, summary, source) make_##name,
#include "halftone/train/quantizers.def"
#undef HT_QUANTIZER
};

}  // namespace

std::span<const QuantizerInfo> all_quantizers() { return kQuantizers; }

const QuantizerInfo& find_quantizer(std::string_view name) {
  return kQuantizers[position_in(kQuantizers, name, "quantizer")];
}

std::unique_ptr<Quantizer> make_quantizer(const StepRequest& request, const Start& start) {
  const QuantizerInfo& info = find_quantizer(request.name);
  if (start.weights() ? !info.weights : !info.activations) {
    fail(ErrorCode::InvalidArgument, fmt::format("quantizer '{}'", info.name), "is for {} only",
         info.weights ? "weights" : "activations");
  }
  StepWords words(request);
  std::unique_ptr<Quantizer> quantizer = kQuantizerMakers[&info - kQuantizers](start, words);
  words.finish();
  return quantizer;
}

}  // namespace halftone::train
