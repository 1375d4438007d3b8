// Convolutions whose activations get their grid in every run. The padding has to hold the zero point, which is only
// known then: images are quantized into larger ones, and convolved without padding.
#include <algorithm>

#include "halftone/runtime/integer_rules/add_conv.h"
#include "halftone/runtime/integer_rules/dynamic_codes.h"
#include "halftone/runtime/integer_rules/product.h"
#include "halftone/runtime/integer_rules/product_operands.h"

namespace halftone::runtime {

std::string lower_integer_dynamic_convolution(Lowering& lowering) {
  const IntegerNode& plan = lowering.integers();
  const Node& node = lowering.node();
  if (plan.form != IntegerForm::DynamicProduct || !node.is("Conv")) return "no convolution on a grid found at run time";
  ConvShape geometry;
  if (std::string reason = read_shape(lowering, geometry); !reason.empty()) return reason;
  const Border border{geometry.pad_top, geometry.pad_left, geometry.pad_bottom, geometry.pad_right};
  if (std::min({border.top, border.left, border.bottom, border.right}) < 0) return "padding is negative";
  const Int8Weights weights = conv_weights(plan, geometry);
  if (weights.sets > kMostWeightSets) return "weights of more than 8 bits";

  const DynamicImage image = add_dynamic_image(lowering, lowering.plain(node.inputs[0]), border);
  ProductResult result(lowering, *lowering.type(node.outputs[0]).fixed_shape(), /*matrix=*/false);
  kernels::ConvShape shape = kernel_shape(geometry, weights);
  shape.in_height = image.height;
  shape.in_width = image.width;
  shape.pad_top = shape.pad_left = 0;
  shape.out_pixel_stride = result.pixel_stride();
  const auto pixels = static_cast<size_t>(geometry.n * geometry.oh * geometry.ow);
  const Operand zero_points{lowering.add_buffer(pixels * sizeof(int32_t)), nullptr, 0};
  const Operand scales{lowering.add_buffer(pixels * sizeof(float)), nullptr, 0};
  add_dynamic_conv(lowering, shape, weights, geometry.n, {image.codes, zero_points, scales, image.grid},
                   result.where());
  result.finish(lowering);
  return "";
}

}  // namespace halftone::runtime
