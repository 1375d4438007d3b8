#include <cmath>
#include <functional>
#include <nlohmann/json.hpp>

#include "halftone/report/report.h"

namespace halftone::report {
namespace {

using Json = nlohmann::ordered_json;

Json number(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

template <typename T>
Json optional(const std::optional<T>& value) {
  if (!value) return nullptr;
  if constexpr (std::is_floating_point_v<T>) return number(*value);
  return *value;
}

// RFC 4648.
std::string base64(std::string_view bytes) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const size_t count = std::min<size_t>(3, bytes.size() - i);
    uint32_t word = 0;
    for (size_t k = 0; k < 3; ++k) word = word << 8 | (k < count ? static_cast<uint8_t>(bytes[i + k]) : 0U);
    for (size_t k = 0; k < 4; ++k) text += k <= count ? kDigits[word >> (18 - 6 * k) & 63] : '=';
  }
  return text;
}

Json to_json(const GridReport& grid) {
  return {{"tensor", grid.tensor},
          {"type", grid.type},
          {"granularity", grid.granularity},
          {"observer", grid.observer},
          {"rounding", grid.rounding},
          {"low", number(grid.low)},
          {"high", number(grid.high)},
          {"step", number(grid.step)},
          {"scales", grid.scales},
          {"bits_per_value", grid.bits_per_value},
          {"values", {{"low", grid.values.low}, {"high", grid.values.high}, {"counts", grid.values.counts}}}};
}

Json to_json(const LayerReport& layer) {
  Json json = {{"name", layer.name},
               {"op", layer.op},
               {"reason", layer.reason},
               {"parameters", layer.parameters},
               {"sqnr_db", optional(layer.sqnr_db)},
               {"alone_db", optional(layer.alone_db)},
               {"weights", nullptr},
               {"activations", nullptr},
               {"channel_range", layer.channel_range},
               {"channel_range_float", layer.channel_range_float}};
  if (layer.weights) json["weights"] = to_json(*layer.weights);
  if (layer.activations) json["activations"] = to_json(*layer.activations);
  return json;
}

Json to_json(const Side& side) {
  return {{"name", side.name},
          {"size_bytes", side.size_bytes},
          {"latency_ms", side.latency_ms},
          {"top1", optional(side.top1)}};
}

Json to_json(const ChangedAnswer& answer) {
  return {{"id", answer.id},
          {"label", optional(answer.label)},
          {"before", answer.before},
          {"after", answer.after},
          {"picture", base64(answer.picture)}};
}

// What is asked of each point, as a list.
template <typename T, typename F>
Json column(const std::vector<T>& points, F of) {
  Json json = Json::array();
  for (const T& point : points) json.push_back(number(std::invoke(of, point)));
  return json;
}

Json to_json(const ScaleCurve& curve) {
  return {{"tensor", curve.tensor},
          {"epoch", column(curve.epochs, std::identity())},
          {"scale", column(curve.scales, std::identity())}};
}

template <typename T>
Json list(const std::vector<T>& items) {
  Json json = Json::array();
  for (const T& item : items) json.push_back(to_json(item));
  return json;
}

// Curves as columns, which take a third of what rows do.
Json to_json(const Training& training) {
  const auto& steps = training.steps;
  const auto& ends = training.epoch_ends;
  return {{"model", training.model},
          {"recipe", training.recipe.empty() ? Json(nullptr) : Json::parse(training.recipe)},
          {"images", training.images},
          {"validation_images", training.validation_images},
          {"parameters", training.parameters},
          {"epochs", training.epochs},
          {"batch", training.batch},
          {"seed", training.seed},
          {"all_steps", training.all_steps},
          {"resumed", training.resumed},
          {"images_per_second", number(training.images_per_second)},
          {"finished", training.finished},
          {"best_epoch", optional(training.best_epoch)},
          {"validation_accuracy", number(training.validation_accuracy)},
          {"agreement", number(training.agreement)},
          {"seconds", number(training.seconds)},
          {"steps",
           {{"epoch", column(steps, &TrainingStep::epoch)},
            {"loss", column(steps, &TrainingStep::loss)},
            {"accuracy", column(steps, &TrainingStep::accuracy)},
            {"rate", column(steps, &TrainingStep::rate)}}},
          {"epoch_ends",
           {{"epoch", column(ends, &TrainingEpoch::epoch)},
            {"train_loss", column(ends, &TrainingEpoch::train_loss)},
            {"train_accuracy", column(ends, &TrainingEpoch::train_accuracy)},
            {"validation_loss", column(ends, &TrainingEpoch::validation_loss)},
            {"validation_accuracy", column(ends, &TrainingEpoch::validation_accuracy)}}},
          {"scales", list(training.scales)}};
}

}  // namespace

std::string to_json(const Report& report) {
  const Json json = {{"before", to_json(report.before)},
                     {"after", to_json(report.after)},
                     {"cpu", report.cpu},
                     {"version", report.version},
                     {"samples", report.samples},
                     {"agreement", report.agreement},
                     {"sqnr_db", number(report.sqnr_db)},
                     {"integer_layers", report.integer_layers},
                     {"float_layers", report.float_layers},
                     {"layers", list(report.layers)},
                     {"changed_answers", report.changed_answers},
                     {"changed", list(report.changed)},
                     {"class_names", report.class_names},
                     {"training", report.training ? to_json(*report.training) : Json(nullptr)}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace halftone::report
