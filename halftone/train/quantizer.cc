#include "halftone/train/quantizer.h"

#include <fmt/ranges.h>

#include "halftone/ptq/step.h"

namespace halftone::train {

#define HT_QUANTIZER(name, weights, activations, summary, source) \
  std::unique_ptr<Quantizer> make_##name(const Start& start, ptq::StepWords& words);
#include "halftone/train/quantizers.def"
#undef HT_QUANTIZER

namespace {

constexpr QuantizerInfo kQuantizers[] = {
#define HT_QUANTIZER(name, weights, activations, summary, source) {#name, weights, activations, summary, source},
#include "halftone/train/quantizers.def"
#undef HT_QUANTIZER
};

using MakeQuantizer = std::unique_ptr<Quantizer> (*)(const Start&, ptq::StepWords&);
constexpr MakeQuantizer kQuantizerMakers[] = {
#define HT_QUANTIZER(name, weights, activations, summary, source) make_##name,
#include "halftone/train/quantizers.def"
#undef HT_QUANTIZER
};

}  // namespace

std::span<const QuantizerInfo> all_quantizers() { return kQuantizers; }

const QuantizerInfo& find_quantizer(std::string_view name) {
  std::vector<std::string_view> names;
  for (const QuantizerInfo& info : kQuantizers) {
    if (info.name == name) return info;
    names.push_back(info.name);
  }
  const std::string nearest = nearest_word(name, names);
  fail(ErrorCode::InvalidArgument, "quantizer", "'{}' is none, {}", name,
       nearest.empty() ? fmt::format("one of {} is required", fmt::join(names, ", "))
                       : fmt::format("did you mean '{}'?", nearest));
}

std::unique_ptr<Quantizer> make_quantizer(const StepRequest& request, const Start& start) {
  const QuantizerInfo& info = find_quantizer(request.name);
  if (start.weights() ? !info.weights : !info.activations) {
    fail(ErrorCode::InvalidArgument, fmt::format("quantizer '{}'", info.name), "is for {} only",
         info.weights ? "weights" : "activations");
  }
  ptq::StepWords words(request);
  std::unique_ptr<Quantizer> quantizer = kQuantizerMakers[&info - kQuantizers](start, words);
  words.finish();
  return quantizer;
}

}  // namespace halftone::train
