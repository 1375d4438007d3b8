#include <algorithm>
#include <numeric>
#include <set>

#include "halftone/tensor/packing.h"
#include "halftone/transform/packed_codes.h"
#include "halftone/transform/packed_ops.h"

namespace halftone {
namespace {

// A tensor as outer x channels x inner elements around an axis; the whole is one channel where there is none.
struct Layout {
  size_t outer = 1, channels = 1, inner = 1;

  Layout(const Shape& shape, int64_t axis) {
    for (size_t i = 0; i < shape.size(); ++i) {
      size_t& part = static_cast<int64_t>(i) == axis ? channels : static_cast<int64_t>(i) < axis ? outer : inner;
      part *= static_cast<size_t>(shape[i]);
    }
  }
};

// Planes for the codes of one width.
class PlaneWriter {
 public:
  PlaneWriter(Graph& graph, const std::string& stem, DType type) : graph_(graph), stem_(stem), type_(type) {}

  ValueId unpack(const Shape& shape, const std::vector<int32_t>& codes, int bits) {
    const int32_t low = is_signed_integer(type_) ? -(int32_t{1} << (bits - 1)) : 0;
    const size_t bytes = (codes.size() + 7) / 8;
    std::vector<uint8_t> planes(static_cast<size_t>(bits) * bytes);
    for (size_t i = 0; i < codes.size(); ++i) {
      const auto code = static_cast<uint32_t>(codes[i] - low);
      for (size_t k = 0; k < static_cast<size_t>(bits); ++k) {
        uint8_t& byte = planes[k * bytes + i / 8];
        byte = static_cast<uint8_t>(byte | ((code >> k & 1U) << (i % 8)));
      }
    }
    return add("UnpackBits", kPackedDomain,
               {constant("_planes", Tensor::from<uint8_t>({bits, static_cast<int64_t>(bytes)}, planes)),
                constant("_shape", Tensor::from<int64_t>({static_cast<int64_t>(shape.size())}, shape)),
                constant("_low", pack_integers(type_, {}, std::vector<int32_t>{low}))},
               shape);
  }
  // Channels of no bits take no space.
  ValueId zeros(const Shape& shape) {
    const ValueId dims = constant("_shape", Tensor::from<int64_t>({static_cast<int64_t>(shape.size())}, shape));
    return add("ConstantOfShape", "", {dims}, shape, {{"value", Tensor(type_, {1})}});
  }
  ValueId join(const std::vector<ValueId>& parts, const std::vector<int32_t>& order, int64_t axis, const Shape& shape) {
    const ValueId joined = add("Concat", "", parts, shape, {{"axis", axis}});
    const ValueId positions = constant("_order", Tensor::from<int32_t>({static_cast<int64_t>(order.size())}, order));
    return add("Gather", "", {joined, positions}, shape, {{"axis", axis}});
  }

 private:
  ValueId constant(const std::string& suffix, Tensor content) {
    return graph_.add_constant(graph_.fresh_name(stem_ + suffix), std::move(content));
  }
  ValueId add(std::string_view op, std::string_view domain, std::vector<ValueId> inputs, const Shape& shape,
              const std::vector<std::pair<std::string, AttributeValue>>& attributes = {}) {
    Node node;
    node.op_type = op;
    node.domain = domain;
    node.inputs = std::move(inputs);
    node.outputs = {graph_.add_value(graph_.fresh_name(stem_ + "_" + node.op_type), {type_, to_dims(shape)})};
    node.name = graph_.value(node.outputs[0]).name;
    for (const auto& [name, value] : attributes) node.set_attribute(name, value);
    graph_.nodes().push_back(std::move(node));
    return graph_.nodes().back().outputs[0];
  }

  Graph& graph_;
  const std::string& stem_;
  DType type_;
};

// How many bits each channel takes in the file. Channels without bits are stored all the same where nearly all are
// such, so that a small file can't stand for a huge tensor.
std::vector<int> widths_of(const QuantParams& params) {
  std::vector<int> widths(params.channel_bits.begin(), params.channel_bits.end());
  const auto nothing = static_cast<size_t>(std::count(widths.begin(), widths.end(), 0));
  if (nothing > kMaxEmptyChannels * (widths.size() - nothing)) std::replace(widths.begin(), widths.end(), 0, 1);
  return widths;
}

}  // namespace

DType file_type(const QuantParams& params) {
  const bool is_signed = is_signed_integer(params.dtype);
  const int bits = bits_of(params.dtype);
  const bool fills_type =
      code_bits(params) == bits && bits != 2 && params.levels.empty() && params.channel_bits.empty();
  if (fills_type || bits > 8) return params.dtype;
  return is_signed ? DType::Int8 : DType::UInt8;
}

bool needs_planes(const QuantParams& params) {
  const int bits = bits_of(params.dtype);
  if (!params.levels.empty() || !params.channel_bits.empty()) return true;
  return bits <= 16 && (code_bits(params) < bits || bits == 2);
}

int64_t stored_bits(const QuantParams& params, const Shape& shape) {
  const int64_t count = element_count(shape);
  if (params.channel_bits.empty()) return count * (needs_planes(params) ? code_bits(params) : bits_of(params.dtype));
  const std::vector<int> widths = widths_of(params);
  return count / static_cast<int64_t>(widths.size()) * std::accumulate(widths.begin(), widths.end(), int64_t{0});
}

ValueId write_planes(Graph& graph, const std::string& stem, const Tensor& codes, const QuantParams& params) {
  PlaneWriter writer(graph, stem, file_type(params));
  const std::vector<int32_t> all = unpack_integers(codes);
  if (params.channel_bits.empty()) return writer.unpack(codes.shape(), all, code_bits(params));
  const std::vector<int> widths = widths_of(params);
  const std::set<int> distinct(widths.begin(), widths.end());
  if (distinct.size() <= 1) return writer.unpack(codes.shape(), all, distinct.empty() ? 1 : *distinct.begin());
  const Layout layout(codes.shape(), params.axis);
  std::vector<ValueId> parts;
  std::vector<int32_t> order(widths.size());
  int32_t placed = 0;
  for (const int bits : distinct) {
    Shape shape = codes.shape();
    int64_t& dim = shape[static_cast<size_t>(params.axis)];
    dim = std::count(widths.begin(), widths.end(), bits);
    for (size_t c = 0; c < widths.size(); ++c) {
      if (widths[c] == bits) order[c] = placed++;
    }
    if (bits == 0) {
      parts.push_back(writer.zeros(shape));
      continue;
    }
    std::vector<int32_t> some;
    some.reserve(static_cast<size_t>(element_count(shape)));
    for (size_t o = 0; o < layout.outer; ++o) {
      for (size_t c = 0; c < widths.size(); ++c) {
        if (widths[c] != bits) continue;
        const auto begin = all.begin() + static_cast<std::ptrdiff_t>((o * layout.channels + c) * layout.inner);
        some.insert(some.end(), begin, begin + static_cast<std::ptrdiff_t>(layout.inner));
      }
    }
    parts.push_back(writer.unpack(shape, some, bits));
  }
  return writer.join(parts, order, params.axis, codes.shape());
}

}  // namespace halftone
