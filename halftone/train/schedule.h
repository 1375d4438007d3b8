// How the rates change while a network trains.
#pragma once

#include <functional>
#include <span>
#include <string_view>

#include "halftone/quant/step_request.h"

namespace halftone::train {

// The share of the recipe's rates after `epoch` epochs (fractions count) of `epochs`.
using Schedule = std::function<double(double epoch, double epochs)>;

struct ScheduleInfo {
  std::string_view name, summary, source;
};
// The lines of schedules.def.
std::span<const ScheduleInfo> all_schedules();

// Every schedule has the word "warm_up": epochs (0 unless given) in which the share rises from 0, in proportion, to
// what the schedule says. Errors: Error{InvalidArgument} for an unknown name or word, with the nearest known one.
Schedule make_schedule(const StepRequest& request);

}  // namespace halftone::train
