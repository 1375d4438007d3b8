#include "halftone/runtime/integer_rules/add_conv.h"
#include "halftone/runtime/integer_rules/code_steps.h"
#include "halftone/runtime/integer_rules/product.h"
#include "halftone/runtime/integer_rules/product_operands.h"

namespace halftone::runtime {

std::string lower_integer_matrix_product(Lowering& lowering) {
  const IntegerNode& plan = lowering.integers();
  if (plan.form != IntegerForm::MatrixProduct) return "no matrix product";
  if (!plan.weights.defined()) return "two activations";
  if (any_bits(plan)) return "codes of single bits";
  MatrixOperands operands;
  if (std::string reason = read_operands(lowering, operands); !reason.empty()) return reason;

  const Place from = product_codes(lowering, Layout::Plain);
  // A vector's product has no axis for its rows.
  ProductResult result(lowering, operands.result, /*matrix=*/true);
  kernels::ConvProblem problem{kernel_shape(operands), gemm_problem(plan, operands.weights)};
  problem.shape.in_pixel_stride *= problem.product.wide ? 2 : 1;
  problem.shape.out_pixel_stride = result.pixel_stride();
  add_conv(lowering, problem, operands.rows, from.where, result.where());
  result.finish(lowering);
  return "";
}

}  // namespace halftone::runtime
