#include <charconv>
#include <cmath>
#include <limits>
#include <string>

#include "halftone/sim/ops.h"
#include "halftone/sim/ops/arithmetic.h"
#include "halftone/sim/ops/small_float_cast.h"

namespace halftone::sim::ops {
namespace {

// "3.14", "1e-5", "NaN", "INF", "+INF", "-INF" (letters in either case), as ONNX's Cast reads them.
double parse_number(const OpCall& call, const std::string& text) {
  const char* first = text.data();
  const char* last = first + text.size();
  if (first != last && *first == '+') ++first;
  double value = 0;
  const auto [end, error] = std::from_chars(first, last, value);
  if (error == std::errc::result_out_of_range) {
    return text[0] == '-' ? -std::numeric_limits<double>::infinity() : std::numeric_limits<double>::infinity();
  }
  if (error != std::errc() || end != last) call.refuse("strings to cast must hold numbers, found '{}'", text);
  return value;
}

int64_t parse_integer(const OpCall& call, const std::string& text) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && end == text.data() + text.size()) return value;
  return convert(Tensor::scalar(parse_number(call, text)), DType::Int64).data<int64_t>()[0];
}

Tensor from_text(const OpCall& call, const Tensor& x, DType dtype) {
  const std::vector<std::string>& texts = x.strings();
  if (is_integer(dtype) || dtype == DType::Bool) {
    Tensor values(DType::Int64, x.shape());
    const std::span<int64_t> out = values.mutable_data<int64_t>();
    for (size_t i = 0; i < out.size(); ++i) out[i] = parse_integer(call, texts[i]);
    return convert(values, dtype);
  }
  Tensor values(DType::Double, x.shape());
  const std::span<double> out = values.mutable_data<double>();
  for (size_t i = 0; i < out.size(); ++i) out[i] = parse_number(call, texts[i]);
  return convert(values, dtype);
}

// The shortest text that reads back as the same number.
template <typename T>
std::string to_text(T value) {
  if constexpr (std::is_floating_point_v<T>) {
    if (std::isnan(value)) return "NaN";
    if (std::isinf(value)) return value > 0 ? "INF" : "-INF";
  }
  char text[64];
  return {text, std::to_chars(text, text + sizeof text, value).ptr};
}

Tensor to_texts(const Tensor& x) {
  std::vector<std::string> texts;
  const DType arithmetic = arithmetic_type(x.dtype());
  dispatch_arithmetic(arithmetic, [&](auto zero) {
    const Tensor values = convert(x, arithmetic);
    for (const auto value : values.data<decltype(zero)>()) texts.push_back(to_text(value));
  });
  return Tensor::from_strings(x.shape(), std::move(texts));
}

std::string round_mode(const OpCall& call) {
  const std::string mode = call.node.string_or("round_mode", "up");
  if (mode != "up" && mode != "down" && mode != "nearest") {
    call.refuse("attribute 'round_mode' must be up, down or nearest, found '{}'", mode);
  }
  return mode;
}

Tensor cast_to(const OpCall& call, DType dtype) {
  const Tensor& x = call.input(0);
  if (x.dtype() == dtype) return x;
  if (x.dtype() == DType::String) return from_text(call, x, dtype);
  if (dtype == DType::String) return to_texts(x);
  // Where a float doesn't fit into fewer than 8 bits, ONNX's data keeps its low bits.
  if (is_floating(x.dtype()) && is_integer(dtype) && is_sub_byte(dtype))
    return convert(convert(x, DType::Int64), dtype);
  const bool saturate = call.node.int_or("saturate", 1) != 0;
  if (dtype == DType::Float8E8M0) return cast_to_e8m0(x, round_mode(call), saturate);
  return saturate ? convert(x, dtype) : cast_unsaturated(x, dtype);
}

}  // namespace

std::vector<Tensor> cast(const OpCall& call) {
  const int64_t number = call.node.int_or("to", 0);
  const auto dtype = static_cast<DType>(number);
  if (number != static_cast<int32_t>(number) || !is_known(dtype)) {
    call.refuse("attribute 'to' must be an element type, found {}", number);
  }
  return {cast_to(call, dtype)};
}

std::vector<Tensor> cast_like(const OpCall& call) { return {cast_to(call, call.input(1).dtype())}; }

}  // namespace halftone::sim::ops
