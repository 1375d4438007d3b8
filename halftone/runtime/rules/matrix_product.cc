#include "halftone/runtime/onednn.h"
#include "halftone/runtime/split.h"

namespace halftone::runtime {
namespace {

// The shape with ones in front.
dnnl::memory::dims padded_dims(const Shape& shape, size_t rank) {
  dnnl::memory::dims dims(rank - shape.size(), 1);
  dims.insert(dims.end(), shape.begin(), shape.end());
  return dims;
}

dnnl::memory::desc desc_of(const dnnl::memory::dims& dims, bool transposed) {
  dnnl::memory::dims stored = dims;
  if (transposed) std::swap(stored[stored.size() - 1], stored[stored.size() - 2]);
  dnnl::memory::dims strides = contiguous_strides(stored);
  if (transposed) std::swap(strides[strides.size() - 1], strides[strides.size() - 2]);
  return {dims, dnnl::memory::data_type::f32, strides};
}

}  // namespace

std::string lower_matrix_product(Lowering& lowering) {
  const Node& node = lowering.node();
  const bool gemm = node.is("Gemm");
  if (!gemm && !node.is("MatMul")) return "no matrix product";
  const std::optional<Shape> a = lowering.float_shape(node.input(0)), b = lowering.float_shape(node.input(1)),
                             y = lowering.float_shape(node.output(0));
  if (!a || !b || !y || a->size() < 2 || b->size() < 2) return "an operand is no matrix of known shape";
  if (gemm && (node.input(2) != ValueId::None || node.float_or("alpha", 1.0f) != 1.0f)) return "C or alpha";
  if (element_count(*a) == 0 || element_count(*b) == 0 || y->size() > 6) return "nothing to compute";
  const bool a_transposed = gemm && node.int_or("transA", 0) != 0, b_transposed = gemm && node.int_or("transB", 0) != 0;
  const size_t rank = y->size();
  dnnl::memory::dims a_dims = padded_dims(*a, rank), b_dims = padded_dims(*b, rank), y_dims = padded_dims(*y, rank);
  if (a_transposed) std::swap(a_dims[0], a_dims[1]);
  if (b_transposed) std::swap(b_dims[0], b_dims[1]);

  // Slices along the first batch dimension where there is one.
  const SingleThreadScope single;
  const int64_t batch = rank > 2 ? y_dims[0] : 1;
  const Split split{batch, 1, std::min<int64_t>(batch, lowering.threads())};
  try {
    const Place a_place = lowering.plain(node.inputs[0]), b_place = lowering.plain(node.inputs[1]);
    const Place y_place = lowering.allocate(DType::Float, *y, Layout::Plain);
    std::vector<PrimitivePart> parts;
    for (int i = 0; i < split.parts(); ++i) {
      const int64_t begin = split.begin(i), size = split.end(i) - begin;
      PrimitivePart part;
      const auto argument = [&](int kind, const dnnl::memory::dims& whole, bool transposed, const Place& place) {
        dnnl::memory::dims dims = whole;
        const bool sliced = rank > 2 && dims[0] != 1;
        if (sliced) dims[0] = size;
        const int64_t offset = sliced ? element_count(Shape(dims.begin() + 1, dims.end())) * begin : 0;
        part.arguments.push_back({kind, desc_of(dims, transposed), shifted(place.where, offset)});
      };
      argument(DNNL_ARG_SRC, a_dims, a_transposed, a_place);
      argument(DNNL_ARG_WEIGHTS, b_dims, b_transposed, b_place);
      argument(DNNL_ARG_DST, y_dims, false, y_place);
      const dnnl::matmul::desc operation(part.arguments[0].desc, part.arguments[1].desc, part.arguments[2].desc);
      part.primitive = dnnl::matmul(dnnl::matmul::primitive_desc(operation, make_attributes(), engine()));
      parts.push_back(std::move(part));
    }
    add_primitives(lowering, describe(lowering.graph(), node), std::move(parts));
    lowering.define(node.outputs[0], y_place);
    return "";
  } catch (const dnnl::error& error) {
    return error.what();
  }
}

}  // namespace halftone::runtime
