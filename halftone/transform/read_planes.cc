#include <algorithm>
#include <bit>
#include <optional>
#include <set>

#include "halftone/graph/op_table.h"
#include "halftone/tensor/packing.h"
#include "halftone/transform/packed_codes.h"
#include "halftone/transform/packed_ops.h"
#include "halftone/transform/qdq_params.h"

namespace halftone {
namespace {

template <typename T>
Tensor unpack(DType type, Shape shape, std::span<const uint8_t> planes, size_t bits, int32_t low) {
  Tensor codes(type, std::move(shape));
  const std::span<T> to = codes.mutable_data<T>();
  const size_t bytes = planes.size() / bits;
  for (size_t i = 0; i < to.size(); ++i) {
    int32_t code = low;
    for (size_t k = 0; k < bits; ++k) code += (planes[k * bytes + i / 8] >> (i % 8) & 1) << k;
    to[i] = static_cast<T>(code);
  }
  return codes;
}

class Reader {
 public:
  Reader(const Graph& graph, const GraphIndex& index) : graph_(graph), index_(index) {}

  std::map<ValueId, PackedCodes> read() {
    for (const Node& node : graph_.nodes()) {
      if (node.output(0) == ValueId::None) continue;
      std::optional<PackedCodes> packed;
      if (is_packed_op(node, kUnpackBits)) packed = read_unpack(node);
      if (node.is("Gather")) packed = read_join(node);
      if (packed) found_.emplace(node.outputs[0], std::move(*packed));
    }
    return std::move(found_);
  }

 private:
  const Tensor* constant(ValueId id) const { return qdq::fixed_constant(graph_, index_, id); }
  const Node* producer(ValueId id) const {
    const int position = id == ValueId::None ? -1 : index_.producer(id);
    return position < 0 ? nullptr : &graph_.nodes()[static_cast<size_t>(position)];
  }
  template <typename... Args>
  [[noreturn]] void refuse(const Node& node, fmt::format_string<Args...> format, Args&&... args) const {
    fail(ErrorCode::InvalidModel, describe(graph_, node), format, std::forward<Args>(args)...);
  }

  // A shape as an operand. Errors: Error{InvalidModel} for what is none.
  Shape read_shape(const Node& node, const Tensor& tensor) const {
    if (tensor.dtype() != DType::Int64 || tensor.rank() != 1) {
      refuse(node, "its shape must be an int64 list, found {}{}", name_of(tensor.dtype()), to_string(tensor.shape()));
    }
    Shape shape = to_vector<int64_t>(tensor);
    int64_t count = 1;
    for (const int64_t dim : shape) {
      if (dim < 0 || __builtin_mul_overflow(count, std::max<int64_t>(dim, 1), &count)) {
        refuse(node, "its shape must be one of a tensor, found {}", to_string(shape));
      }
    }
    return shape;
  }

  std::optional<PackedCodes> read_unpack(const Node& node) const {
    const Tensor *planes = constant(node.input(0)), *dims = constant(node.input(1)), *least = constant(node.input(2));
    if (planes == nullptr || dims == nullptr || least == nullptr) return std::nullopt;
    const DType type = least->dtype();
    const bool is_byte = type == DType::Int8 || type == DType::UInt8;
    if (!is_byte && type != DType::Int16 && type != DType::UInt16) {
      refuse(node, "its lowest code must be int8, uint8, int16 or uint16, found {}", name_of(type));
    }
    if (least->size() != 1) refuse(node, "one lowest code is required, found {}", least->size());
    if (planes->dtype() != DType::UInt8 || planes->rank() != 2) {
      refuse(node, "its planes must be uint8[bits, bytes], found {}{}", name_of(planes->dtype()),
             to_string(planes->shape()));
    }
    const int64_t bits = planes->dim(0);
    if (bits < 1 || bits > bits_of(type)) {
      refuse(node, "{} codes require 1 to {} planes, found {}", name_of(type), bits_of(type), bits);
    }
    const Shape shape = read_shape(node, *dims);
    const int64_t count = element_count(shape), bytes = count / 8 + (count % 8 != 0 ? 1 : 0);
    if (planes->dim(1) != bytes) {
      refuse(node, "shape {} requires {} bytes in each plane, found {}", to_string(shape), bytes, planes->dim(1));
    }
    const int32_t low = unpack_integers(*least)[0];
    PackedCodes packed;
    packed.q_min = low;
    packed.q_max = low + (int64_t{1} << bits) - 1;
    if (packed.q_max > range_of(type).high) {
      refuse(node, "codes of {} bits from {} on do not lie in {}", bits, low, name_of(type));
    }
    const std::span<const uint8_t> data = planes->data<uint8_t>();
    const auto width = static_cast<size_t>(bits);
    switch (type) {
      case DType::Int8:
        packed.codes = unpack<int8_t>(type, shape, data, width, low);
        break;
      case DType::UInt8:
        packed.codes = unpack<uint8_t>(type, shape, data, width, low);
        break;
      case DType::Int16:
        packed.codes = unpack<int16_t>(type, shape, data, width, low);
        break;
      default:
        packed.codes = unpack<uint16_t>(type, shape, data, width, low);
    }
    return packed;
  }

  // Channels of several widths: Concat of what was read already and of zeros, put into order by a Gather.
  std::optional<PackedCodes> read_join(const Node& gather) const {
    const Node* concat = producer(gather.input(0));
    const Tensor* order = constant(gather.input(1));
    if (concat == nullptr || !concat->is("Concat") || order == nullptr || order->dtype() != DType::Int32) return {};
    const bool any =
        std::any_of(concat->inputs.begin(), concat->inputs.end(), [&](ValueId id) { return found_.contains(id); });
    if (!any) return {};
    std::vector<Part> parts;
    std::set<ValueId> seen;
    int64_t stored = 0, empty = 0;
    for (const ValueId id : concat->inputs) {
      const std::optional<Part> part = read_part(id);
      // A part that stands twice is nothing that we write, and would make much of little.
      if (!part || !seen.insert(id).second) return {};
      (part->packed == nullptr ? empty : stored) += element_count(part->shape);
      parts.push_back(*part);
    }
    const Shape& first = parts[0].shape;
    const auto rank = static_cast<int64_t>(first.size());
    const int64_t axis = normalized(*concat, "axis", 0, rank);
    if (normalized(gather, "axis", 0, rank) != axis) return {};
    if (empty > static_cast<int64_t>(kMaxEmptyChannels) * stored) {
      refuse(gather, "at most {} channels without bits are required for one with bits, found {} elements for {}",
             kMaxEmptyChannels, empty, stored);
    }
    return join(gather, parts, axis, to_vector<int32_t>(*order));
  }

  struct Part {
    const PackedCodes* packed;  // nullptr: zeros
    DType type;
    Shape shape;
  };

  std::optional<Part> read_part(ValueId id) const {
    const auto found = found_.find(id);
    if (found != found_.end()) return Part{&found->second, found->second.codes.dtype(), found->second.codes.shape()};
    const Node* zeros = producer(id);
    if (zeros == nullptr || !zeros->is("ConstantOfShape")) return std::nullopt;
    const Tensor *dims = constant(zeros->input(0)), *value = zeros->tensor_or_null("value");
    if (dims == nullptr || value == nullptr || value->size() != 1) return std::nullopt;
    if (value->dtype() != DType::Int8 && value->dtype() != DType::UInt8) return std::nullopt;
    if (std::to_integer<int>(value->bytes()[0]) != 0) return std::nullopt;
    return Part{nullptr, value->dtype(), read_shape(*zeros, *dims)};
  }

  int64_t normalized(const Node& node, std::string_view attribute, int64_t fallback, int64_t rank) const {
    const int64_t axis = node.int_or(attribute, fallback);
    if (axis < -rank || axis >= rank) refuse(node, "axis {} does not exist in {} dimensions", axis, rank);
    return axis < 0 ? axis + rank : axis;
  }

  std::optional<PackedCodes> join(const Node& gather, const std::vector<Part>& parts, int64_t axis,
                                  const std::vector<int32_t>& order) const {
    const auto at = static_cast<size_t>(axis);
    struct Channel {
      const Part* part;
      size_t position;
    };
    std::vector<Channel> channels;
    PackedCodes joined;
    joined.axis = axis;
    for (const Part& part : parts) {
      Shape like = parts[0].shape;
      if (part.shape.size() == like.size()) like[at] = part.shape[at];
      if (part.type != parts[0].type || part.shape != like) {
        refuse(gather, "the parts of its codes must differ in width only, found {}{} and {}{}", name_of(part.type),
               to_string(part.shape), name_of(parts[0].type), to_string(parts[0].shape));
      }
      if (part.shape[at] > static_cast<int64_t>(order.size() - channels.size())) {
        refuse(gather, "{} positions are too few for the channels of its codes", order.size());
      }
      for (size_t i = 0; i < static_cast<size_t>(part.shape[at]); ++i) channels.push_back({&part, i});
      if (part.packed == nullptr) continue;
      joined.q_min = std::min(joined.q_min, part.packed->q_min);
      joined.q_max = std::max(joined.q_max, part.packed->q_max);
    }
    std::vector<bool> used(channels.size());
    for (const int32_t from : order) {
      if (order.size() != channels.size() || from < 0 || static_cast<size_t>(from) >= used.size() ||
          used[static_cast<size_t>(from)]) {
        refuse(gather, "its {} positions must name each of {} channels once", order.size(), channels.size());
      }
      used[static_cast<size_t>(from)] = true;
    }
    if (bits_of(parts[0].type) != 8) return std::nullopt;
    Shape shape = parts[0].shape;
    size_t outer = 1, inner = 1;
    for (size_t i = 0; i < shape.size(); ++i) {
      if (i != at) (i < at ? outer : inner) *= static_cast<size_t>(shape[i]);
    }
    shape[at] = static_cast<int64_t>(channels.size());
    joined.codes = Tensor(parts[0].type, shape);
    std::byte* to = joined.codes.mutable_bytes().data();
    for (size_t o = 0; o < outer; ++o) {
      for (const int32_t from : order) {
        const Channel& channel = channels[static_cast<size_t>(from)];
        if (channel.part->packed != nullptr) {
          const size_t count = static_cast<size_t>(channel.part->shape[at]);
          const std::byte* source = channel.part->packed->codes.bytes().data();
          std::copy_n(source + (o * count + channel.position) * inner, inner, to);
        }
        to += inner;
      }
    }
    for (const int32_t from : order) {
      const PackedCodes* packed = channels[static_cast<size_t>(from)].part->packed;
      const uint64_t codes = packed == nullptr ? 1 : static_cast<uint64_t>(packed->q_max - packed->q_min + 1);
      joined.channel_bits.push_back(static_cast<int8_t>(std::bit_width(codes) - 1));
    }
    return joined;
  }

  const Graph& graph_;
  const GraphIndex& index_;
  std::map<ValueId, PackedCodes> found_;
};

}  // namespace

std::map<ValueId, PackedCodes> read_planes(const Graph& graph, const GraphIndex& index) {
  return Reader(graph, index).read();
}

QuantParams with_planes(QuantParams params, const PackedCodes& packed) {
  params.q_min = packed.q_min;
  params.q_max = packed.q_max;
  const int bits = code_bits(params);
  const DType natural = storage_type(bits, is_signed_integer(params.dtype));
  const IntegerRange range = range_of(natural);
  const bool fits = std::all_of(params.zero_point.begin(), params.zero_point.end(),
                                [&](int32_t zero) { return zero >= range.low && zero <= range.high; });
  if (fits) params.dtype = natural;
  if (packed.channel_bits.size() != params.scale.size() || packed.axis != params.axis || params.block_size > 0) {
    return params;
  }
  QuantParams by_channel = params;
  by_channel.channel_bits = packed.channel_bits;
  const Tensor real = dequantize(packed.codes, params);
  return fake_quantize(real, by_channel).same_as(real) ? by_channel : params;
}

}  // namespace halftone
