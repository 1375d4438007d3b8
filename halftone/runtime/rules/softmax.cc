#include "halftone/runtime/onednn.h"
#include "halftone/runtime/split.h"

namespace halftone::runtime {

std::string lower_softmax(Lowering& lowering) {
  const Node& node = lowering.node();
  const bool logarithm = node.is("LogSoftmax");
  if (!logarithm && !node.is("Softmax")) return "no Softmax";
  const std::optional<Shape> shape = lowering.float_shape(node.input(0));
  if (!shape || shape->empty() || element_count(*shape) == 0) return "the input's shape is unknown or empty";
  const bool flattens = lowering.graph().opset() < 13;  // the axis and all that follow are one
  const auto axis =
      static_cast<size_t>(normalize_axis(node.int_or("axis", flattens ? 1 : -1), static_cast<int64_t>(shape->size())));
  const int64_t outer = element_count(Shape(shape->begin(), shape->begin() + static_cast<std::ptrdiff_t>(axis)));
  const int64_t inner =
      flattens ? 1 : element_count(Shape(shape->begin() + static_cast<std::ptrdiff_t>(axis) + 1, shape->end()));
  const int64_t size = element_count(*shape) / outer / inner;

  const SingleThreadScope single;
  const Split split{
      outer, 1,
      std::clamp<int64_t>(outer * size * inner / (kEltwiseGrain / 8), 1, std::min<int64_t>(outer, lowering.threads()))};
  try {
    const Place src = lowering.plain(node.inputs[0]);
    const Place dst =
        lowering.last_use(src, lowering.position()) ? src : lowering.allocate(DType::Float, *shape, Layout::Plain);
    std::vector<PrimitivePart> parts;
    for (int i = 0; i < split.parts(); ++i) {
      const dnnl::memory::desc desc({split.end(i) - split.begin(i), size, inner}, dnnl::memory::data_type::f32,
                                    dnnl::memory::format_tag::abc);
      const int64_t offset = split.begin(i) * size * inner;
      PrimitivePart part;
      if (logarithm) {
        const dnnl::logsoftmax_forward::desc operation(dnnl::prop_kind::forward_inference, desc, 1);
        part.primitive = dnnl::logsoftmax_forward({operation, make_attributes(), engine()});
      } else {
        const dnnl::softmax_forward::desc operation(dnnl::prop_kind::forward_inference, desc, 1);
        part.primitive = dnnl::softmax_forward({operation, make_attributes(), engine()});
      }
      part.arguments = {{DNNL_ARG_SRC, desc, shifted(src.where, offset)},
                        {DNNL_ARG_DST, desc, shifted(dst.where, offset)}};
      parts.push_back(std::move(part));
    }
    add_primitives(lowering, describe(lowering.graph(), node), std::move(parts));
    lowering.define(node.outputs[0], dst);
    return "";
  } catch (const dnnl::error& error) {
    return error.what();
  }
}

}  // namespace halftone::runtime
