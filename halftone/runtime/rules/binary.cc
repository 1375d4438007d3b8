#include <map>

#include "halftone/runtime/activation.h"
#include "halftone/runtime/onednn.h"
#include "halftone/runtime/reorder.h"
#include "halftone/runtime/split.h"

namespace halftone::runtime {
namespace {

using dnnl::algorithm;

std::optional<algorithm> algorithm_of(const Node& node) {
  static const std::map<std::string_view, algorithm> table = {
      {"Add", algorithm::binary_add}, {"Sub", algorithm::binary_sub}, {"Mul", algorithm::binary_mul},
      {"Div", algorithm::binary_div}, {"Min", algorithm::binary_min}, {"Max", algorithm::binary_max},
      {"Sum", algorithm::binary_add},
  };
  const auto found = table.find(node.op_type);
  if (!node.domain.empty() || node.inputs.size() != 2 || found == table.end()) return std::nullopt;
  return found->second;
}

// How the operands are described to oneDNN: the result's dimensions, and those of operand 1 with ones where it is
// repeated.
struct BinaryOperands {
  Place src0, src1, dst;
  dnnl::memory::desc desc0, desc1;
  bool flat = false;  // equal layouts element by element, or one number: any slice will do
};

bool is_per_channel(const Shape& shape, const Shape& whole) {
  if (whole.size() < 3 || shape.size() > whole.size()) return false;
  Shape aligned(whole.size() - shape.size(), 1);
  aligned.insert(aligned.end(), shape.begin(), shape.end());
  const Channels other = channels_of(aligned), value = channels_of(whole);
  return other.s == 1 && other.c == value.c && (other.n == 1 || other.n == value.n);
}

dnnl::memory::desc plain_desc(const Shape& shape, size_t rank) {
  dnnl::memory::dims dims(rank - shape.size(), 1);
  dims.insert(dims.end(), shape.begin(), shape.end());
  if (dims.empty()) dims = {1};
  return {dims, dnnl::memory::data_type::f32, contiguous_strides(dims)};
}

// Fills in everything but dst. False when oneDNN has no form for this broadcast.
bool describe_operands(Lowering& lowering, ValueId a, ValueId b, const Shape& shape, BinaryOperands& operands) {
  const Shape shape_b = *lowering.float_shape(b);
  const auto blocked = [&](ValueId id) { return lowering.place(id).layout == Layout::Blocked; };
  if (shape_b == shape) {
    const bool in_blocks = blocked(a) || blocked(b);
    operands.src0 = in_blocks ? lowering.blocked(a) : lowering.plain(a);
    operands.src1 = in_blocks ? lowering.blocked(b) : lowering.plain(b);
    operands.flat = true;
    return true;
  }
  if (element_count(shape_b) == 1) {
    operands.src0 = lowering.place(a);
    operands.src1 = lowering.plain(b);
    operands.flat = true;
    return true;
  }
  if (blocked(a) && is_per_channel(shape_b, shape)) {
    Shape per_channel(shape.size() - shape_b.size(), 1);
    per_channel.insert(per_channel.end(), shape_b.begin(), shape_b.end());
    operands.src0 = lowering.place(a);
    operands.src1 = lowering.place(b);
    if (operands.src1.layout == Layout::Plain) {
      // The shape is given the rank that blocks need; for a constant or a computed value alike.
      if (operands.src1.where.buffer >= 0 && shape_b.size() != shape.size()) return false;
      operands.src1.shape = per_channel;
      if (operands.src1.where.buffer < 0) {
        operands.src1.where = {-1, blocked_copy(operands.src1), 0};
        operands.src1.layout = Layout::Blocked;
      } else {
        operands.src1 = lowering.blocked(b);
      }
    }
    operands.desc0 = value_desc(shape, Layout::Blocked);
    operands.desc1 = value_desc(per_channel, Layout::Blocked);
    return true;
  }
  if (shape.size() > 6) return false;
  operands.src0 = lowering.plain(a);
  operands.src1 = lowering.plain(b);
  operands.desc0 = plain_desc(shape, shape.size());
  operands.desc1 = plain_desc(shape_b, shape.size());
  return true;
}

}  // namespace

std::string lower_binary(Lowering& lowering) {
  const Node& node = lowering.node();
  const std::optional<algorithm> kind = algorithm_of(node);
  if (!kind) return "no arithmetic of two operands that oneDNN has";
  ValueId a = node.inputs[0], b = node.inputs[1];
  const std::optional<Shape> shape = lowering.float_shape(node.output(0));
  if (!lowering.float_shape(a) || !lowering.float_shape(b) || !shape) return "not floats of known shapes";
  if (element_count(*shape) == 0) return "nothing to compute";
  // oneDNN repeats its second operand only.
  const bool commutes = *kind != algorithm::binary_sub && *kind != algorithm::binary_div;
  if (*lowering.float_shape(a) != *shape && commutes) std::swap(a, b);
  if (*lowering.float_shape(a) != *shape) return "the first operand is repeated";
  const Shape shape_b = *lowering.float_shape(b);

  const SingleThreadScope single;
  const Chain chain = follow(lowering, node.output(0), false);
  try {
    BinaryOperands operands;
    if (!describe_operands(lowering, a, b, *shape, operands)) return "a broadcast that oneDNN lacks";
    // 0 / 0 in the padding of blocks would not be finite.
    if (*kind == algorithm::binary_div && operands.src0.layout == Layout::Blocked && element_count(shape_b) != 1) {
      operands.src0 = lowering.plain(a);
      operands.src1 = lowering.plain(b);
      operands.flat = shape_b == *shape;
      operands.desc0 = plain_desc(*shape, shape->size());
      operands.desc1 = plain_desc(shape_b, shape->size());
    }
    const bool in_place = lowering.last_use(operands.src0, lowering.position());
    operands.dst = in_place ? operands.src0 : lowering.allocate(DType::Float, *shape, operands.src0.layout);
    operands.dst.shape = *shape;
    const int64_t total = stored_elements(*shape, operands.src0.layout);
    const Split split = operands.flat ? split_range(total, lowering.threads(), kEltwiseGrain) : Split{total, 1, 1};
    const bool scalar = element_count(shape_b) == 1 && shape_b != *shape;
    std::vector<PrimitivePart> parts;
    for (int i = 0; i < split.parts(); ++i) {
      const int64_t begin = split.begin(i);
      const dnnl::memory::desc desc0 = operands.flat ? flat_desc(split.end(i) - begin) : operands.desc0;
      const dnnl::memory::desc desc1 = operands.flat ? flat_desc(scalar ? 1 : split.end(i) - begin) : operands.desc1;
      const dnnl::binary::desc operation(*kind, desc0, desc1, desc0);
      const dnnl::binary::primitive_desc primitive(operation, make_attributes(chain.post_ops), engine());
      parts.push_back({dnnl::binary(primitive),
                       {{DNNL_ARG_SRC_0, desc0, shifted(operands.src0.where, begin)},
                        {DNNL_ARG_SRC_1, desc1, shifted(operands.src1.where, scalar || !operands.flat ? 0 : begin)},
                        {DNNL_ARG_DST, desc0, shifted(operands.dst.where, begin)}}});
    }
    add_primitives(lowering, describe(lowering.graph(), node), std::move(parts));
    absorb(lowering, chain);
    lowering.define(chain.output, operands.dst);
    return "";
  } catch (const dnnl::error& error) {
    return error.what();
  }
}

}  // namespace halftone::runtime
