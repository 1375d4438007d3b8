#include "cli/layer_times.h"

#include <fmt/core.h>

#include <nlohmann/json.hpp>

#include "cli/table.h"

namespace halftone::cli {
namespace {

constexpr int64_t kMemoryBytes = 64 << 20;  // beyond every cache

// Operations per nanosecond; a multiplication and its addition are two.
double speed_of(const eval::StepTime& step) {
  return step.microseconds > 0 ? 2e-3 * static_cast<double>(step.macs) / step.microseconds : 0;
}

// The layer with what is computed together with it, or what the step is there for.
std::string title_of(const eval::StepTime& step, const NodeNote* note) {
  if (note == nullptr || !step.own) return step.name;
  std::string title = note->node;
  for (const std::string& node : note->fused) title += " + " + node;
  return title;
}

std::string kernel_of(const eval::StepTime& step, const NodeNote* note) {
  if (note == nullptr || !step.own) return "";
  std::string kernel = note->kernel.empty() ? note->rule : note->rule + ": " + note->kernel;
  return kernel;
}

}  // namespace

LayerTimes::LayerTimes(eval::Profile profile)
    : profile_(std::move(profile)),
      int8_(kernels::measure_peak(kernels::PeakUnit::Int8)),
      float_(kernels::measure_peak(kernels::PeakUnit::Float)),
      memory_(kernels::measure_read_bandwidth(kMemoryBytes)) {
  for (const eval::StepTime& step : profile_.steps) sum_ += step.microseconds;
}

const NodeNote* LayerTimes::note_of(const eval::StepTime& step) const {
  return step.note < 0 ? nullptr : &profile_.notes[static_cast<size_t>(step.note)];
}

const kernels::Peak& LayerTimes::peak_of(const eval::StepTime& step) const {
  const NodeNote* note = note_of(step);
  return note != nullptr && note->integers ? int8_ : float_;
}

std::string LayerTimes::to_string() const {
  Table table({"layer", ">us", ">share", ">GOP/s", ">of peak", "kernel"});
  for (const eval::StepTime& step : profile_.steps) {
    const double speed = speed_of(step), peak = peak_of(step).giga_operations_per_second;
    table.add_row(
        {title_of(step, note_of(step)), fmt::format("{:.1f}", step.microseconds),
         fmt::format("{:.1f} %", 100 * step.microseconds / sum_), speed > 0 ? fmt::format("{:.1f}", speed) : "",
         speed > 0 && peak > 0 ? fmt::format("{:.1f} %", 100 * speed / peak) : "", kernel_of(step, note_of(step))});
  }
  const auto peak_text = [](const char* what, const kernels::Peak& peak) {
    if (peak.loop.empty()) return fmt::format("no loop for {}", what);
    return fmt::format("{} {:.1f} GOP/s ({})", what, peak.giga_operations_per_second, peak.loop);
  };
  return fmt::format(
      "{}\n{:.1f} us in all, on one thread, step by step\npeaks of one core: {}, {}, reading memory {:.1f} GB/s\n",
      table.to_string(), sum_, peak_text("int8", int8_), peak_text("float", float_), memory_);
}

void LayerTimes::add_to(nlohmann::ordered_json& json) const {
  auto layers = nlohmann::ordered_json::array();
  for (const eval::StepTime& step : profile_.steps) {
    const NodeNote* note = note_of(step);
    const double speed = speed_of(step), peak = peak_of(step).giga_operations_per_second;
    nlohmann::ordered_json layer = {{"name", step.name},
                                    {"microseconds", step.microseconds},
                                    {"share", step.microseconds / sum_},
                                    {"macs", step.macs},
                                    {"gops", speed},
                                    {"fraction_of_peak", peak > 0 ? speed / peak : 0},
                                    {"kernel", kernel_of(step, note)},
                                    {"isa", note != nullptr && step.own ? note->isa : ""},
                                    {"integers", note != nullptr && note->integers}};
    layers.push_back(std::move(layer));
  }
  const auto peak_json = [](const kernels::Peak& peak) {
    return nlohmann::ordered_json{{"loop", peak.loop}, {"gops", peak.giga_operations_per_second}};
  };
  json["layers"] = std::move(layers);
  json["peaks"] = {{"int8", peak_json(int8_)}, {"float", peak_json(float_)}, {"memory_gb_per_second", memory_}};
}

}  // namespace halftone::cli
