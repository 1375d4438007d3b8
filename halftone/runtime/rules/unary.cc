#include "halftone/runtime/activation.h"
#include "halftone/runtime/onednn.h"
#include "halftone/runtime/split.h"

namespace halftone::runtime {

std::string lower_unary(Lowering& lowering) {
  const Node& node = lowering.node();
  const std::vector<Eltwise> functions = eltwise_of(lowering, node);
  if (functions.empty()) return "no element-wise function that oneDNN has";
  const ValueId x = node.inputs[0];
  if (element_count(*lowering.float_shape(x)) == 0) return "nothing to compute";
  const SingleThreadScope single;
  try {
    const Place src = finite_at_zero(functions) ? lowering.place(x) : lowering.plain(x);
    Place dst = src;
    if (!lowering.last_use(src, lowering.position())) {
      dst = lowering.allocate(DType::Float, src.shape, src.layout);
    }
    const Split split = split_range(stored_elements(src.shape, src.layout), lowering.threads(), kEltwiseGrain);
    for (size_t f = 0; f < functions.size(); ++f) {
      const Place& from = f > 0 ? dst : src;
      std::vector<PrimitivePart> parts;
      for (int i = 0; i < split.parts(); ++i) {
        const int64_t begin = split.begin(i);
        const dnnl::memory::desc desc = flat_desc(split.end(i) - begin);
        const dnnl::eltwise_forward::desc operation(dnnl::prop_kind::forward_inference, functions[f].algorithm, desc,
                                                    functions[f].alpha, functions[f].beta);
        const dnnl::eltwise_forward::primitive_desc primitive(operation, make_attributes(), engine());
        parts.push_back(
            {dnnl::eltwise_forward(primitive),
             {{DNNL_ARG_SRC, desc, shifted(from.where, begin)}, {DNNL_ARG_DST, desc, shifted(dst.where, begin)}}});
      }
      add_primitives(lowering, describe(lowering.graph(), node), std::move(parts));
    }
    lowering.define(node.outputs[0], dst);
    return "";
  } catch (const dnnl::error& error) {
    return error.what();
  }
}

}  // namespace halftone::runtime
