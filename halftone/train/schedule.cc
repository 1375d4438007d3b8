#include "halftone/train/schedule.h"

#include <algorithm>
#include <array>

#include "halftone/quant/step_words.h"

namespace halftone::train {

#define HT_SCHEDULE(name, summary, source) Schedule make_##name##_schedule(StepWords& words);
#include "halftone/train/schedules.def"
#undef HT_SCHEDULE

namespace {

#define HT_SCHEDULE(name, summary, source) ScheduleInfo{#name, summary, source},
constexpr auto kSchedules = std::to_array<ScheduleInfo>({
#include "halftone/train/schedules.def"
});
#undef HT_SCHEDULE

constexpr std::array kScheduleMakers = {
#define HT_SCHEDULE(name, summary, source) &make_##name##_schedule,
#include "halftone/train/schedules.def"
#undef HT_SCHEDULE
};

}  // namespace

std::span<const ScheduleInfo> all_schedules() { return kSchedules; }

Schedule make_schedule(const StepRequest& request) {
  const size_t position = position_in(kSchedules, request.name, "schedule");
  StepWords words(request, "schedule");
  const double warm_up = words.number("warm_up", 0, 0, 1e6);
  const Schedule schedule = kScheduleMakers.at(position)(words);
  words.finish();
  if (warm_up == 0) return schedule;
  return [=](double epoch, double epochs) { return std::min(1.0, epoch / warm_up) * schedule(epoch, epochs); };
}

}  // namespace halftone::train
