#include <array>
#include <charconv>

#include "halftone/base/error.h"
#include "halftone/quant/quant_params.h"

namespace halftone {
namespace {

constexpr int kLeastBits = 1, kMostBits = 16;

// Offered when a word is not understood: the widths that have a name in ONNX.
const std::vector<std::string> kUsualTypes = {"int2", "int4", "int8", "int16", "uint2", "uint4", "uint8", "uint16"};

}  // namespace

QuantSpec parse_quant_type(std::string_view text) {
  QuantSpec spec;
  spec.is_signed = text.starts_with("int");
  std::string_view digits = text;
  if (spec.is_signed) digits.remove_prefix(3);
  if (text.starts_with("uint")) digits.remove_prefix(4);
  const char* end = digits.data() + digits.size();
  const auto [stop, code] = std::from_chars(digits.data(), end, spec.bits);
  const bool number = digits.size() < text.size() && code == std::errc() && stop == end && digits.front() != '-';
  if (number && spec.bits >= kLeastBits && spec.bits <= kMostBits) return spec;
  const std::string nearest = nearest_word(text, kUsualTypes);
  fail(ErrorCode::InvalidArgument, "quantization type",
       "int1 to int{0} or uint1 to uint{0} is required, found '{1}'{2}", kMostBits, text,
       nearest.empty() ? "" : fmt::format("; did you mean '{}'?", nearest));
}

std::string type_name(const QuantSpec& spec) { return fmt::format("{}int{}", spec.is_signed ? "" : "u", spec.bits); }

Granularity parse_granularity(std::string_view text) {
  if (text == "per_tensor") return Granularity::PerTensor;
  if (text == "per_channel") return Granularity::PerChannel;
  const std::string nearest = nearest_word(text, std::array{"per_tensor", "per_channel"});
  fail(ErrorCode::InvalidArgument, "granularity", "per_tensor or per_channel is required, found '{}'{}", text,
       nearest.empty() ? "" : fmt::format("; did you mean '{}'?", nearest));
}

}  // namespace halftone
