#include "halftone/sim/ops.h"
#include "halftone/sim/ops/arithmetic.h"

namespace halftone::sim::ops {
namespace {

template <typename F>
std::vector<Tensor> bits(const OpCall& call, F&& f) {
  const std::vector<Tensor> operands = broadcast_inputs(call, 2);
  const DType dtype = operands[0].dtype();
  if (!is_integer(dtype)) call.refuse("requires integers, found {}", name_of(dtype));
  return {convert(zip<uint64_t>(convert(operands[0], DType::UInt64), convert(operands[1], DType::UInt64), f), dtype)};
}

template <typename F>
std::vector<Tensor> logical(const OpCall& call, F&& f) {
  const std::vector<Tensor> operands = broadcast_inputs(call, 2);
  if (operands[0].dtype() != DType::Bool) call.refuse("requires bool elements, found {}", name_of(operands[0].dtype()));
  // Read through a conversion, because a file may hold bytes other than 0 and 1.
  return {zip<int64_t>(convert(operands[0], DType::Int64), convert(operands[1], DType::Int64), f)};
}

}  // namespace

std::vector<Tensor> bitwise_and(const OpCall& call) {
  return bits(call, [](uint64_t a, uint64_t b) { return a & b; });
}

std::vector<Tensor> bitwise_or(const OpCall& call) {
  return bits(call, [](uint64_t a, uint64_t b) { return a | b; });
}

std::vector<Tensor> bitwise_xor(const OpCall& call) {
  return bits(call, [](uint64_t a, uint64_t b) { return a ^ b; });
}

// Bits shifted out are lost. A right shift of a negative number fills with ones; a shift by a negative number, or by
// the width or more, leaves the fill alone.
std::vector<Tensor> bit_shift(const OpCall& call) {
  const std::string direction = call.node.string_or("direction", "");
  if (direction != "LEFT" && direction != "RIGHT") {
    call.refuse("attribute 'direction' must be LEFT or RIGHT, found '{}'", direction);
  }
  const bool left = direction == "LEFT";
  // Signed elements arrive sign-extended to 64 bits.
  const bool extends_sign = is_signed_integer(call.input(0).dtype());
  return bits(call, [=](uint64_t a, uint64_t b) {
    const uint64_t fill = !left && extends_sign && a >> 63 ? ~uint64_t{0} : 0;
    if (b >= 64) return fill;
    if (left) return a << b;
    return b == 0 ? a : a >> b | fill << (64 - b);
  });
}

std::vector<Tensor> logical_and(const OpCall& call) {
  return logical(call, [](int64_t a, int64_t b) { return (a & b) != 0; });
}

std::vector<Tensor> logical_or(const OpCall& call) {
  return logical(call, [](int64_t a, int64_t b) { return (a | b) != 0; });
}

std::vector<Tensor> logical_xor(const OpCall& call) {
  return logical(call, [](int64_t a, int64_t b) { return a != b; });
}

}  // namespace halftone::sim::ops
