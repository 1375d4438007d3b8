#include <algorithm>
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

void parse_granularity(std::string_view text, QuantSpec& spec) {
  constexpr std::array kWords = {"per_tensor", "per_channel", "per_group", "per_block"};
  constexpr std::array kValues = {Granularity::PerTensor, Granularity::PerChannel, Granularity::PerGroup,
                                  Granularity::PerBlock};
  const std::string_view word = text.substr(0, text.find(':'));
  const auto* found = std::find(kWords.begin(), kWords.end(), word);
  if (found == kWords.end()) {
    const std::string nearest = nearest_word(word, kWords);
    fail(ErrorCode::InvalidArgument, "granularity",
         "per_tensor, per_channel, per_group:CHANNELS or per_block:ELEMENTS is required, found '{}'{}", text,
         nearest.empty() ? "" : fmt::format("; did you mean '{}'?", nearest));
  }
  spec.granularity = kValues[static_cast<size_t>(found - kWords.begin())];
  spec.group_size = spec.block_size = 0;
  const bool sized = spec.granularity == Granularity::PerGroup || spec.granularity == Granularity::PerBlock;
  const std::string_view digits = word.size() < text.size() ? text.substr(word.size() + 1) : "";
  if (!sized) {
    if (word.size() == text.size()) return;
    fail(ErrorCode::InvalidArgument, "granularity", "{} takes no size, found '{}'", word, text);
  }
  int64_t& size = spec.granularity == Granularity::PerGroup ? spec.group_size : spec.block_size;
  const char* end = digits.data() + digits.size();
  const auto [stop, code] = std::from_chars(digits.data(), end, size);
  if (code != std::errc() || stop != end || size < 1) {
    fail(ErrorCode::InvalidArgument, "granularity", "{0} requires a size of at least 1, as in {0}:32, found '{1}'",
         word, text);
  }
}

}  // namespace halftone
