// Matrix products with constant weights whose activations get their grids in every run.
#include "halftone/runtime/integer_rules/add_conv.h"
#include "halftone/runtime/integer_rules/dynamic_codes.h"
#include "halftone/runtime/integer_rules/product.h"
#include "halftone/runtime/integer_rules/product_operands.h"

namespace halftone::runtime {

std::string lower_integer_dynamic_product(Lowering& lowering) {
  const IntegerNode& plan = lowering.integers();
  const Node& node = lowering.node();
  if (plan.form != IntegerForm::DynamicProduct) return "no product on grids found at run time";
  if (!plan.weights.defined() || node.is("Conv")) return "a convolution, or no constant weights";
  MatrixOperands operands;
  if (std::string reason = read_operands(lowering, operands); !reason.empty()) return reason;

  const DynamicCodes codes = add_dynamic_codes(lowering, lowering.plain(node.inputs[0]), operands.depth, *plan.dynamic);
  ProductResult result(lowering, operands.result, /*matrix=*/true);
  kernels::ConvShape shape = kernel_shape(operands);
  shape.out_pixel_stride = result.pixel_stride();
  add_dynamic_conv(lowering, shape, operands.weights, codes.rows,
                   {codes.codes, codes.zero_points, codes.scales, std::nullopt}, result.where());
  result.finish(lowering);
  return "";
}

}  // namespace halftone::runtime
