#include "halftone/runtime/rules/border_zeros.h"

#include <algorithm>

#include "halftone/runtime/split.h"

namespace halftone::runtime {

ConvShape with_borders(ConvShape shape) {
  shape.ih += shape.pad_top + shape.pad_bottom;
  shape.iw += shape.pad_left + shape.pad_right;
  shape.pad_top = shape.pad_bottom = shape.pad_left = shape.pad_right = 0;
  return shape;
}

Place add_borders(Lowering& lowering, const ConvShape& shape, const Place& src) {
  const ConvShape wide = with_borders(shape);
  const Place dst = lowering.allocate(DType::Float, {wide.n, wide.ic, wide.ih, wide.iw}, Layout::Blocked);
  const int64_t block = channel_block(shape.ic), planes = shape.n * padded_channels(shape.ic) / block;
  const int64_t width = wide.iw * block;
  const Split rows{planes * wide.ih, 1,
                   std::clamp<int64_t>(planes * wide.ih * width / kEltwiseGrain, 1, lowering.threads())};
  Step step{describe(lowering.graph(), lowering.node()) + " border", rows.parts(), nullptr};
  step.bind = [=, from = src.where, to = dst.where](RunMemory& memory) -> Step::Work {
    const auto* source = reinterpret_cast<const float*>(memory.at(from));
    auto* target = reinterpret_cast<float*>(memory.at(to));
    return [=](int part) {
      for (int64_t r = rows.begin(part); r < rows.end(part); ++r) {
        const int64_t plane = r / wide.ih, y = r % wide.ih - shape.pad_top;
        float* row = target + r * width;
        float* end = row + width;
        if (y >= 0 && y < shape.ih) {
          row = std::fill_n(row, shape.pad_left * block, 0.0f);
          row = std::copy_n(source + (plane * shape.ih + y) * shape.iw * block, shape.iw * block, row);
        }
        std::fill(row, end, 0.0f);
      }
    };
  };
  lowering.add_step(std::move(step), {src.where, dst.where});
  return dst;
}

}  // namespace halftone::runtime
