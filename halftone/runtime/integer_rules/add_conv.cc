#include "halftone/runtime/integer_rules/add_conv.h"

#include <algorithm>

#include "halftone/runtime/integer_rules/product.h"
#include "halftone/runtime/split.h"

namespace halftone::runtime {
namespace {

// All that the blob of a convolution depends on besides the node.
std::string blob_name(const kernels::GemmKernel& kernel, const kernels::ConvShape& s, const std::string& name) {
  return fmt::format("{}{}/{}x{}/{}x{}/{}/{}", name, kernel.name, s.in_height, s.in_width, s.out_height, s.out_width,
                     s.in_pixel_stride, s.out_pixel_stride);
}

// A convolution ready to run in some parts.
struct PreparedConv {
  Operand packed;  // keeps the constants that `conv` refers to
  kernels::Conv conv;
  int parts;
  size_t scratch_bytes;  // of each part
  Operand scratch;

  std::byte* scratch_of(int part, std::byte* all) const { return all + static_cast<size_t>(part) * scratch_bytes; }
};

PreparedConv prepare(Lowering& lowering, const kernels::ConvProblem& problem, int64_t images, int64_t most_parts,
                     const std::string& name) {
  const kernels::Choice<kernels::GemmKernel> choice = choose_conv(problem, images);
  lowering.note_choice(choice);
  const kernels::GemmKernel& kernel = *choice.kernel;
  const Operand packed = lowering.constant_blob(
      blob_name(kernel, problem.shape, name), [&] { return conv_packed_bytes(kernel, problem); },
      [&](std::byte* blob) { pack_conv(kernel, problem, blob); });
  const kernels::Conv conv(kernel, packed.constant.get());
  lowering.note().kernel = conv.describe();
  const auto parts = static_cast<int>(std::min<int64_t>(product_parts(lowering, conv.operations(images)), most_parts));
  const size_t scratch_bytes = (conv.scratch_bytes() + 63) / 64 * 64;
  const int scratch = lowering.add_buffer(scratch_bytes * static_cast<size_t>(parts));
  return {packed, conv, parts, scratch_bytes, {scratch, nullptr, 0}};
}

}  // namespace

void add_conv(Lowering& lowering, const kernels::ConvProblem& problem, int64_t images, const Operand& from,
              const Operand& to, const std::string& name, const std::optional<RowPlaces>& rows) {
  const PreparedConv prepared = prepare(lowering, problem, images, lowering.threads(), name);
  Step step{describe(lowering.graph(), lowering.node()), prepared.parts, nullptr};
  step.bind = [prepared, images, from, to, rows, width = problem.shape.out_width, height = problem.shape.out_height,
               pixel_stride = problem.shape.out_pixel_stride](RunMemory& memory) -> Step::Work {
    const auto* source = reinterpret_cast<const uint8_t*>(memory.at(from));
    std::byte* target = memory.at(to);
    std::byte* scratch = memory.at(prepared.scratch);
    if (!rows) {
      return [=](int part) {
        prepared.conv.run(source, target, prepared.conv.part(images, part, prepared.parts),
                          prepared.scratch_of(part, scratch));
      };
    }
    const Split split{images * height, 1, prepared.parts};
    return [=](int part) {
      kernels::ConvPart row = prepared.conv.whole(images);
      for (int64_t y = split.begin(part); y < split.end(part); ++y) {
        row.first_pixel = y * width;
        row.last_pixel = row.first_pixel + width;
        // The kernel counts its pixels from the first of all.
        std::byte* first = target + rows->offset + y / height * rows->image_stride + y % height * rows->row_stride;
        prepared.conv.run(source, first - row.first_pixel * pixel_stride, row, prepared.scratch_of(part, scratch));
      }
    };
  };
  lowering.add_step(std::move(step), {from, to, prepared.scratch});
}

void add_dynamic_conv(Lowering& lowering, const kernels::ConvShape& shape, const Int8Weights& weights, int64_t images,
                      const DynamicPixels& from, const Operand& to) {
  const IntegerNode& plan = lowering.integers();
  const std::vector<int32_t> terms = negative_sums(weights.values, shape.out_channels);
  const int64_t pixels = images * shape.out_height * shape.out_width;
  const PreparedConv prepared =
      prepare(lowering, {shape, dynamic_gemm_problem(plan, weights, terms)}, images, pixels, /*name=*/"");
  const Split split{pixels, 1, prepared.parts};
  Step step{describe(lowering.graph(), lowering.node()), prepared.parts, nullptr};
  step.bind = [prepared, images, from, to, split, columns = shape.out_channels,
               bias = plan.real_bias](RunMemory& memory) -> Step::Work {
    const auto* source = reinterpret_cast<const uint8_t*>(memory.at(from.codes));
    const auto* grid = from.grid ? reinterpret_cast<const Grid*>(memory.at(*from.grid)) : nullptr;
    auto* zero_points = reinterpret_cast<int32_t*>(memory.at(from.zero_points));
    auto* scales = reinterpret_cast<float*>(memory.at(from.scales));
    auto* target = reinterpret_cast<float*>(memory.at(to));
    std::byte* scratch = memory.at(prepared.scratch);
    return [=](int part) {
      kernels::ConvPart share = prepared.conv.whole(images);
      share.first_pixel = split.begin(part);
      share.last_pixel = split.end(part);
      if (grid != nullptr) {
        std::fill(zero_points + share.first_pixel, zero_points + share.last_pixel, grid->zero_point);
        std::fill(scales + share.first_pixel, scales + share.last_pixel, grid->scale);
      }
      prepared.conv.run(source, target, share, prepared.scratch_of(part, scratch), {zero_points, scales});
      if (bias.empty()) return;
      for (int64_t pixel = share.first_pixel; pixel < share.last_pixel; ++pixel) {
        for (int64_t c = 0; c < columns; ++c) target[pixel * columns + c] += bias[static_cast<size_t>(c)];
      }
    };
  };
  std::vector<Operand> touched = {from.codes, from.zero_points, from.scales, to, prepared.scratch};
  if (from.grid) touched.push_back(*from.grid);
  lowering.add_step(std::move(step), touched);
}

}  // namespace halftone::runtime
