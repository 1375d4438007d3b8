#include <random>

#include "halftone/sim/ops.h"
#include "halftone/sim/ops/arithmetic.h"

namespace halftone::sim::ops {
namespace {

// True where the node trains: an attribute before opset 7, its outputs' meaning until 12, an input from then on.
bool trains(const OpCall& call) {
  if (call.opset < 7) return call.node.int_or("is_test", 0) == 0;
  if (call.opset < 12 || !call.has_input(2)) return false;
  const Tensor& mode = call.input(2);
  if (mode.size() != 1) call.refuse("training_mode must be a scalar, found {}", to_string(mode.shape()));
  return to_vector<int32_t>(mode)[0] != 0;
}

double dropout_ratio(const OpCall& call) {
  if (call.opset < 12) return call.node.float_or("ratio", 0.5f);
  if (!call.has_input(1)) return 0.5;
  if (call.input(1).size() != 1) call.refuse("ratio must be a scalar, found {}", to_string(call.input(1).shape()));
  return to_vector<double>(call.input(1))[0];
}

// Uniform in [0, 1) with 53 bits from two words of the Mersenne Twister, which is how the generator that made ONNX's
// test data draws (numpy's RandomState).
double uniform(std::mt19937& generator) {
  const auto high = static_cast<double>(generator() >> 5), low = static_cast<double>(generator() >> 6);
  return (high * 0x1p26 + low) * 0x1p-53;
}

}  // namespace

std::vector<Tensor> identity(const OpCall& call) { return {call.input(0)}; }

// Inference passes the input through. Training zeroes elements at random and scales the others by 1 / (1 - ratio); the
// attribute `seed` decides which (ONNX leaves the generator open).
std::vector<Tensor> dropout(const OpCall& call) {
  const Tensor& x = call.input(0);
  const double ratio = dropout_ratio(call);
  const bool drops = trains(call) && ratio != 0.0;
  if (drops && !(ratio > 0.0 && ratio < 1.0)) call.refuse("ratio must lie in [0, 1), found {}", ratio);

  Tensor mask(DType::Bool, x.shape());
  std::mt19937 generator(static_cast<uint32_t>(call.node.int_or("seed", 0)));
  for (bool& keep : mask.mutable_data<bool>()) keep = !drops || uniform(generator) >= ratio;
  // Before opset 10 the mask had the data's type.
  const Tensor mask_output = call.opset < 10 ? convert(mask, x.dtype()) : mask;
  if (!drops) return {x, mask_output};

  Tensor scaled = convert(x, DType::Double);
  const std::span<double> values = scaled.mutable_data<double>();
  for (size_t i = 0; i < values.size(); ++i) values[i] = mask.data<bool>()[i] ? values[i] / (1.0 - ratio) : 0.0;
  return {convert(scaled, x.dtype()), mask_output};
}

}  // namespace halftone::sim::ops
