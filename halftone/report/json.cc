#include <cmath>
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

template <typename T>
Json list(const std::vector<T>& items) {
  Json json = Json::array();
  for (const T& item : items) json.push_back(to_json(item));
  return json;
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
                     {"class_names", report.class_names}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace halftone::report
