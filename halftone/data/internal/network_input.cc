#include "halftone/data/internal/network_input.h"

#include <utility>

#include "halftone/base/error.h"

namespace halftone::data {
namespace {

// "[N, 3, ?, ?]".
std::string describe(const InputPort& port) {
  std::string text;
  for (size_t i = 0; i < port.shape.size(); ++i) {
    text += i == 0 ? "N" : port.shape[i] < 0 ? ", ?" : fmt::format(", {}", port.shape[i]);
  }
  return fmt::format("{} [{}]", name_of(port.dtype), text);
}

// The batch dimension is not looked at: samples are stacked later.
bool shape_fits(const InputPort& port, const Shape& shape) {
  if (shape.size() != port.shape.size()) return false;
  for (size_t i = 1; i < shape.size(); ++i) {
    if (port.shape[i] >= 0 && port.shape[i] != shape[i]) return false;
  }
  return true;
}

// Numbers may become floats; nothing is silently cut to integers.
Tensor to_type(const InputPort& port, Tensor tensor, const std::string& id) {
  if (tensor.dtype() == port.dtype) return tensor;
  if (!is_floating(port.dtype) || tensor.dtype() == DType::String) {
    fail(ErrorCode::InvalidData, id, "the input '{}' requires {}, found {}", port.name, name_of(port.dtype),
         name_of(tensor.dtype()));
  }
  return convert(tensor, port.dtype);
}

}  // namespace

const InputPort& NetworkInput::only_port(const std::string& id, const char* what) const {
  if (ports_.size() == 1) return ports_[0];
  fail(ErrorCode::InvalidArgument, id,
       "a network with one input is required for {}, found {} inputs; use .npz with an "
       "array for each",
       what, ports_.size());
}

PreparedSample NetworkInput::prepare(Sample sample) const {
  PreparedSample prepared{std::move(sample.id), sample.label, {}};
  const std::string& id = prepared.id;
  if (sample.image) {
    const InputPort& port = only_port(id, "images");
    if (!recipe_) {
      fail(ErrorCode::InvalidArgument, id,
           "images require a preprocessing recipe, found none; give one with --preprocess FILE, or put "
           "NAME.preprocess.json beside the model");
    }
    if (prepared.label) *prepared.label += recipe_->label_offset;
    Tensor tensor = apply(*recipe_, *sample.image);
    if (!shape_fits(port, tensor.shape())) {
      fail(ErrorCode::InvalidData, id, "the input '{}' requires {}, the recipe makes {}; correct its resize or layout",
           port.name, describe(port), to_string(tensor.shape()));
    }
    // A network that takes bytes gets the recipe's numbers rounded by conversion, which is exact without normalization.
    prepared.inputs[port.name] = tensor.dtype() == port.dtype ? std::move(tensor) : convert(tensor, port.dtype);
    return prepared;
  }
  for (const InputPort& port : ports_) {
    auto found = sample.tensors.find(port.name);
    if (found == sample.tensors.end()) {
      found = sample.tensors.find("");
      if (found != sample.tensors.end()) only_port(id, "an unnamed array");
    }
    if (found == sample.tensors.end()) {
      std::string names;
      for (const auto& [name, tensor] : sample.tensors) names += names.empty() ? name : ", " + name;
      fail(ErrorCode::InvalidData, id, "an array for the input '{}' is required, found {}", port.name,
           names.empty() ? "none" : names);
    }
    if (!shape_fits(port, found->second.shape())) {
      fail(ErrorCode::InvalidData, id, "the input '{}' requires {}, found {}", port.name, describe(port),
           to_string(found->second.shape()));
    }
    prepared.inputs[port.name] = to_type(port, found->second, id);
  }
  return prepared;
}

}  // namespace halftone::data
