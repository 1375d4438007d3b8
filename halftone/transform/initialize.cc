#include "halftone/transform/initialize.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "halftone/base/error.h"
#include "halftone/base/rng.h"
#include "halftone/graph/op_table.h"

namespace halftone::transform {
namespace {

constexpr InitMethodInfo kMethods[] = {
#define HT_INIT_METHOD(enumerator, name, summary, source) {InitMethod::enumerator, #name, summary, source},
#include "halftone/transform/init_methods.def"
#undef HT_INIT_METHOD
};

constexpr int64_t kMostNumbers = int64_t{1} << 29;
constexpr double kTableDeviation = 0.02;

// FNV-1a (Fowler, Noll, Vo): a stream of random numbers for each name.
uint64_t stream_of(std::string_view name) {
  uint64_t hash = 0xcbf29ce484222325;
  for (char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return hash;
}

Tensor drawn(const Draw& draw, const Shape& shape, Rng rng) {
  Tensor content(DType::Float, shape);
  for (float& x : content.mutable_data<float>()) {
    double value = draw.size;
    if (draw.kind == Draw::Kind::Normal) value *= rng.normal();
    if (draw.kind == Draw::Kind::Uniform) value *= rng.uniform(-1, 1);
    x = static_cast<float>(value);
  }
  return content;
}

void check_size(const Graph& graph, const std::map<ValueId, Parameter>& parameters) {
  int64_t numbers = 0;
  for (const auto& [id, parameter] : parameters) {
    const Value& value = graph.value(id);
    const int64_t count = element_count(*value.type.fixed_shape());
    if (count > kMostNumbers - numbers) {
      fail(ErrorCode::Unsupported, value.name,
           "at most {} numbers of parameters in all can be made, and {} exceeds them", kMostNumbers,
           to_string(value.type));
    }
    numbers += count;
  }
}

}  // namespace

std::span<const InitMethodInfo> all_init_methods() { return kMethods; }

InitMethod parse_init_method(std::string_view name) {
  std::vector<std::string_view> names;
  for (const InitMethodInfo& info : kMethods) {
    if (info.name == name) return info.method;
    names.push_back(info.name);
  }
  const std::string nearest = nearest_word(name, names);
  fail(ErrorCode::InvalidArgument, "method", "one of {} is required, found '{}'{}", fmt::join(names, ", "), name,
       nearest.empty() ? "" : fmt::format("; did you mean '{}'?", nearest));
}

Draw draw_of(const Parameter& parameter, InitMethod method) {
  switch (parameter.kind) {
    case ParameterKind::Weights:
      if (method == InitMethod::He) return {Draw::Kind::Normal, parameter.gain / std::sqrt(parameter.fan_in)};
      return {Draw::Kind::Uniform, std::sqrt(6 / (parameter.fan_in + parameter.fan_out))};
    case ParameterKind::Table:
      return {Draw::Kind::Normal, kTableDeviation};
    case ParameterKind::Slope:
      return {Draw::Kind::Constant, kFirstSlope};
    case ParameterKind::Scale:
      return {Draw::Kind::Constant, 1};
    case ParameterKind::Shift:
      break;
  }
  return {Draw::Kind::Constant, 0};
}

Graph initialize(Graph graph, const Initialization& how) {
  infer_shapes(graph);
  const std::map<ValueId, Parameter> parameters = find_parameters(graph, how.which);
  check_size(graph, parameters);
  for (const auto& [id, parameter] : parameters) {
    Value& value = graph.value(id);
    const Tensor content =
        drawn(draw_of(parameter, how.method), *value.type.fixed_shape(), Rng(how.seed, stream_of(value.name)));
    value.constant = convert(content, value.type.dtype);
  }
  std::erase_if(graph.nodes(),
                [&](const Node& node) { return node.is("Constant") && parameters.contains(node.output(0)); });
  // Files before IR version 4 list initializers among their inputs.
  if (graph.ir_version >= 4) {
    std::erase_if(graph.inputs(), [&](ValueId id) { return parameters.contains(id); });
  }
  return graph;
}

}  // namespace halftone::transform
