#include "halftone/eval/inputs.h"

#include <functional>

#include "halftone/base/error.h"
#include "halftone/tensor/packing.h"

namespace halftone::eval {
namespace {

// Floats as `real` draws them, anything else as small non-negative numbers, which are valid indices and masks.
Tensor filled(const std::string& name, DType dtype, const Shape& shape, Rng& rng, const std::function<double()>& real) {
  if (dtype == DType::String) {
    fail(ErrorCode::Unsupported, "input '" + name + "'", "numbers are required, found strings");
  }
  Tensor numbers(DType::Float, shape);
  for (float& x : numbers.mutable_data<float>()) {
    x = static_cast<float>(is_floating(dtype) ? real() : static_cast<double>(rng.below(2)));
  }
  return dtype == DType::Float ? numbers : convert(numbers, dtype);
}

std::vector<Session::Port> ports_of(const Graph& graph) {
  std::vector<Session::Port> ports;
  for (ValueId id : graph.required_inputs()) ports.push_back({graph.value(id).name, graph.value(id).type});
  return ports;
}

data::InputPort make_port(const std::string& name, const TensorType& type) {
  data::InputPort port{name, type.dtype, {}};
  if (type.ranked()) {
    for (const Dim& dim : *type.shape) port.shape.push_back(dim.value);
  }
  return port;
}

struct Range {
  double low = -3, high = 3;
};

// What the grid of an input represents.
Range range_of_input(const QuantizedModel& model, ValueId id) {
  const Encoding* encoding = find_encoding(model, id);
  if (encoding == nullptr || !encoding->params.per_tensor()) return {};
  const QuantParams& params = encoding->params;
  const auto real = [&](int64_t code) {
    return double{params.scale[0]} * static_cast<double>(code - params.zero_point[0]);
  };
  return {real(params.q_min), real(params.q_max)};
}

std::map<std::string, Shape> shapes_of(const std::vector<Session::Port>& ports, int64_t batch) {
  if (batch < 1) fail(ErrorCode::InvalidArgument, "batch", "at least one sample is required, found {}", batch);
  std::map<std::string, Shape> shapes;
  for (const auto& [name, type, grid] : ports) {
    const std::string where = "input '" + name + "'";
    if (!type.ranked()) fail(ErrorCode::Unsupported, where, "a known rank is required, found {}", to_string(type));
    Shape shape;
    for (const Dim& dim : *type.shape) {
      shape.push_back(dim.known() ? dim.value : shape.empty() ? batch : 1);
    }
    if (batch > 1 && (shape.empty() || shape[0] != batch)) {
      fail(ErrorCode::InvalidArgument, where, "a batch of {} was asked for, but the model fixes the shape {}", batch,
           to_string(type));
    }
    shapes.emplace(name, std::move(shape));
  }
  return shapes;
}

TensorMap random_values(const std::vector<Session::Port>& ports, int64_t batch, Rng& rng) {
  const auto shapes = shapes_of(ports, batch);
  TensorMap inputs;
  for (const Session::Port& port : ports) {
    const Shape& shape = shapes.at(port.name);
    inputs.emplace(port.name, filled(port.name, port.type.dtype, shape, rng, [&] { return rng.uniform(-1, 1); }));
  }
  return inputs;
}

}  // namespace

std::vector<data::InputPort> input_ports(const Graph& graph) {
  std::vector<data::InputPort> ports;
  for (const Session::Port& port : ports_of(graph)) ports.push_back(make_port(port.name, port.type));
  return ports;
}

std::vector<data::InputPort> input_ports(const Session& session) {
  std::vector<data::InputPort> ports;
  for (const Session::Port& port : session.inputs()) ports.push_back(make_port(port.name, port.type));
  return ports;
}

std::map<std::string, Shape> input_shapes(const Graph& graph, int64_t batch) {
  return shapes_of(ports_of(graph), batch);
}

std::map<std::string, Shape> input_shapes(const Session& session, int64_t batch) {
  return shapes_of(session.inputs(), batch);
}

TensorMap random_inputs(const Graph& graph, int64_t batch, Rng& rng) {
  return random_values(ports_of(graph), batch, rng);
}

TensorMap random_inputs(const Session& session, int64_t batch, Rng& rng) {
  return random_values(session.inputs(), batch, rng);
}

TensorMap probing_inputs(const QuantizedModel& model, int64_t batch, int64_t number) {
  Rng rng(1, static_cast<uint64_t>(number));
  TensorMap inputs;
  for (const auto& [name, shape] : input_shapes(model.graph, batch)) {
    const ValueId id = model.graph.find(name);
    const Range range = range_of_input(model, id);
    const std::function<double()> kinds[] = {
        [&] { return rng.uniform(range.low, range.high); },
        [&] { return range.high; },
        [&] { return range.low; },
        [&] { return rng.below(2) == 0 ? range.low : range.high; },
        [&] { return 100 * rng.uniform(range.low, range.high); },
        [] { return 0.0; },
    };
    const auto kind = static_cast<size_t>(number) % std::size(kinds);
    inputs.emplace(name, filled(name, model.graph.value(id).type.dtype, shape, rng, kinds[kind]));
  }
  return inputs;
}

}  // namespace halftone::eval
