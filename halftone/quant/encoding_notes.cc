#include "halftone/quant/encoding_notes.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "halftone/tensor/packing.h"

namespace halftone {
namespace {

using Json = nlohmann::json;

constexpr const char* kGranularities[] = {"per_tensor", "per_channel", "per_block", "per_group"};

Json spec_to_json(const QuantSpec& spec) {
  return {{"type", type_name(spec)},           {"symmetric", spec.symmetric},
          {"narrow_range", spec.narrow_range}, {"granularity", kGranularities[static_cast<size_t>(spec.granularity)]},
          {"block_size", spec.block_size},     {"observer", spec.observer},
          {"group_size", spec.group_size},     {"grid", spec.grid},
          {"rounding", spec.rounding}};
}

QuantSpec spec_from_json(const Json& json) {
  QuantSpec spec = parse_quant_type(json.at("type").get<std::string>());
  spec.symmetric = json.at("symmetric").get<bool>();
  spec.narrow_range = json.at("narrow_range").get<bool>();
  const auto granularity = json.at("granularity").get<std::string>();
  const auto* found = std::find(std::begin(kGranularities), std::end(kGranularities), granularity);
  if (found == std::end(kGranularities)) throw std::invalid_argument("unknown granularity");
  spec.granularity = static_cast<Granularity>(found - std::begin(kGranularities));
  spec.block_size = json.at("block_size").get<int64_t>();
  spec.observer = json.at("observer").get<std::string>();
  // Older notes do without these.
  const QuantSpec usual;
  spec.group_size = json.value("group_size", usual.group_size);
  spec.grid = json.value("grid", usual.grid);
  spec.rounding = json.value("rounding", usual.rounding);
  return spec;
}

ProductNote note_product(const Graph& graph, const Node& node, DynamicRange range) {
  ProductNote note{node.op_type, range, "", ""};
  const auto constant = [&](size_t i) -> const Value* {
    const ValueId id = node.input(i);
    return id == ValueId::None || !graph.value(id).constant ? nullptr : &graph.value(id);
  };
  if (const Value* weights = constant(1)) note.weights = weights->name;
  if (const Value* bias = constant(2)) {
    note.bias = bias->name;
    note.bias_shape = bias->constant->shape();
  }
  // Those of a convolution stay attributes in files; a MatMul has none.
  if (!node.is("Gemm")) return note;
  for (const Attribute& attribute : node.attributes) {
    if (const auto* integer = std::get_if<int64_t>(&attribute.value))
      note.attributes.emplace_back(attribute.name, *integer);
    if (const auto* real = std::get_if<float>(&attribute.value)) note.attributes.emplace_back(attribute.name, *real);
  }
  return note;
}

Json product_to_json(const ProductNote& note) {
  return {{"op", note.op},     {"range", static_cast<int>(note.range)}, {"weights", note.weights},
          {"bias", note.bias}, {"bias_shape", note.bias_shape},         {"attributes", note.attributes}};
}

ProductNote product_from_json(const Json& json) {
  ProductNote note{json.at("op").get<std::string>(), DynamicRange::PerTensor, json.at("weights").get<std::string>(),
                   json.at("bias").get<std::string>(), json.at("bias_shape").get<Shape>()};
  const auto range = json.at("range").get<int>();
  if (range != 0 && range != 1) throw std::invalid_argument("unknown range");
  note.range = static_cast<DynamicRange>(range);
  for (const Json& attribute : json.at("attributes"))
    note.attributes.emplace_back(attribute.at(0).get<std::string>(), attribute.at(1).get<double>());
  return note;
}

}  // namespace

EncodingNotes make_notes(const QuantizedModel& model) {
  EncodingNotes notes;
  notes.float_reasons = model.float_reasons;
  for (const auto& [name, encoding] : model.encodings) {
    EncodingNote note{encoding.spec, std::nullopt};
    const QuantParams& params = encoding.params;
    const IntegerRange range = range_of(params.dtype);
    // Files hold 2-bit codes in wider types.
    const bool fills_type = params.q_min == range.low && params.q_max == range.high && bits_of(params.dtype) != 2;
    if (!fills_type || !params.channel_bits.empty()) {
      note.codes = {params.q_min, params.q_max};
      const int bits = code_bits(params);
      const bool narrowest = bits <= 16 && params.dtype == storage_type(bits, is_signed_integer(params.dtype));
      if (!narrowest) note.dtype = params.dtype;
      note.channel_bits = params.channel_bits;
    }
    notes.values.emplace(name, note);
  }
  for (const Node& node : model.graph.nodes()) {
    const std::optional<DynamicRange> range = find_dynamic(model, node);
    if (range) notes.products.emplace(model.graph.value(node.outputs[0]).name, note_product(model.graph, node, *range));
  }
  return notes;
}

std::string to_json(const EncodingNotes& notes) {
  std::vector<QuantSpec> specs;
  Json values = Json::object();
  for (const auto& [name, note] : notes.values) {
    auto found = std::find(specs.begin(), specs.end(), note.spec);
    if (found == specs.end()) found = specs.insert(found, note.spec);
    Json value = {{"spec", found - specs.begin()}};
    if (note.codes) value["codes"] = {note.codes->first, note.codes->second};
    if (note.dtype) value["dtype"] = static_cast<int>(*note.dtype);
    if (!note.channel_bits.empty()) value["channel_bits"] = note.channel_bits;
    values[name] = std::move(value);
  }
  Json list = Json::array();
  for (const QuantSpec& spec : specs) list.push_back(spec_to_json(spec));
  Json json = {{"version", 1}, {"specs", list}, {"values", values}, {"float_reasons", notes.float_reasons}};
  for (const auto& [name, note] : notes.products) json["products"][name] = product_to_json(note);
  // Names that are no UTF-8 can't be written as they are; their notes are lost, the model is not.
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

EncodingNotes parse_notes(std::string_view text) {
  EncodingNotes notes;
  try {
    const Json json = Json::parse(text);
    if (json.at("version").get<int>() != 1) throw std::invalid_argument("unknown version");
    std::vector<QuantSpec> specs;
    for (const Json& spec : json.at("specs")) specs.push_back(spec_from_json(spec));
    for (const auto& [name, value] : json.at("values").items()) {
      EncodingNote note{specs.at(value.at("spec").get<size_t>()), std::nullopt};
      if (value.contains("codes"))
        note.codes = {value["codes"].at(0).get<int64_t>(), value["codes"].at(1).get<int64_t>()};
      if (value.contains("dtype")) note.dtype = static_cast<DType>(value["dtype"].get<int>());
      if (value.contains("channel_bits")) note.channel_bits = value["channel_bits"].get<std::vector<int8_t>>();
      notes.values.emplace(name, note);
    }
    if (json.contains("products")) {
      for (const auto& [name, product] : json["products"].items())
        notes.products.emplace(name, product_from_json(product));
    }
    notes.float_reasons = json.at("float_reasons").get<std::map<std::string, std::string>>();
  } catch (const std::exception& error) {
    fail(ErrorCode::InvalidModel, fmt::format("metadata '{}'", kEncodingNotesKey),
         "notes of version 1 are required, found something else ({}); remove the entry to load the model without it",
         error.what());
  }
  return notes;
}

}  // namespace halftone
