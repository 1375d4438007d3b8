#include "halftone/transform/absorb_bias.h"
#include "halftone/ptq/step.h"

namespace halftone::ptq {

void step_absorb_bias(Workbench* bench, StepWords& words) {
  const double deviations = words.number("deviations", 3, 0, 100);
  words.finish();
  if (bench == nullptr) return;
  transform::Absorption absorption =
      transform::absorb_bias(std::move(bench->reference), std::move(bench->norms), deviations);
  bench->reference = std::move(absorption.graph);
  bench->norms = std::move(absorption.norms);
  if (absorption.channels > 0) {
    bench->progress->note(
        fmt::format("absorb_bias takes up to {:.3g} from {} channels; results change where they fall "
                    "below what was taken",
                    absorption.largest, absorption.channels));
  }
}

}  // namespace halftone::ptq
