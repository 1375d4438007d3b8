#include "halftone/kernels/conv/conv.h"

#include <algorithm>
#include <cstring>

#include "halftone/kernels/conv/conv_blob.h"

namespace halftone::kernels {
namespace {

constexpr int64_t kAlign = 64;
// Operands of one call, pointers and bytes, should stay in a 32 KiB first-level cache beside some weights.
constexpr int64_t kCallBytes = 16 * 1024, kMostRowsPerCall = 384;
// Longest row of a kernel that is taken as one tap.
constexpr int64_t kMostRowTap = 1024;

int64_t steps(int64_t depth) { return (depth + 3) / 4; }

// Taps by rows of the kernel need fewer steps of four bytes, or fewer pointers for as many.
bool takes_rows(const ConvShape& s, int64_t code_bytes) {
  const int64_t row = s.kernel_width * s.in_channels;
  return s.groups == 1 && s.kernel_width > 1 && s.dilation_width == 1 &&
         s.in_pixel_stride == s.in_channels * code_bytes && row <= kMostRowTap && s.in_channels % 4 != 0 &&
         steps(row) <= s.kernel_width * steps(s.in_channels);
}

ConvHeader header_of(const GemmKernel& kernel, const ConvProblem& problem) {
  const ConvShape& s = problem.shape;
  ConvHeader header;
  header.shape = s;
  header.code_bytes = problem.product.wide ? 2 : 1;
  header.row_taps = takes_rows(s, header.code_bytes);
  const int64_t width = header.row_taps ? s.kernel_width : 1;
  header.taps = s.weight_sets * s.kernel_height * s.kernel_width / width;
  header.depth = s.in_channels / s.groups * width;
  header.x_zero_point = problem.product.x_zero_point;
  const int64_t row_bytes = header.taps * (static_cast<int64_t>(sizeof(void*)) + header.depth * header.code_bytes);
  const int64_t rows = std::min(kCallBytes / std::max<int64_t>(row_bytes, 1), kMostRowsPerCall);
  header.rows_per_call = std::max<int64_t>(rows / kernel.row_step, 1) * kernel.row_step;
  header.element_bytes = bytes_of(problem.product.result);
  // 0 <= ox * stride - pad, ox * stride - pad + reach < in_width
  const int64_t room = s.in_width - 1 + s.pad_left - (s.kernel_width - 1) * s.dilation_width;
  header.inner_first = std::max<int64_t>((s.pad_left + s.stride_width - 1) / s.stride_width, 0);
  header.inner_last = room < 0 ? 0 : room / s.stride_width + 1;
  header.zeros = round_up(sizeof(ConvHeader), kAlign);
  header.products = header.zeros + round_up(header.depth * header.code_bytes, kAlign) + kAlign;
  return header;
}

GemmProblem product_of(const ConvProblem& problem, const ConvHeader& header, int64_t group) {
  const int64_t columns = problem.shape.out_channels / problem.shape.groups, first = group * columns;
  GemmProblem product = problem.product;
  product.columns = columns;
  product.depth = header.depth;
  product.taps = header.taps;
  product.weights += first * header.taps * header.depth;
  if (product.bias != nullptr) product.bias += first;
  if (product.multiplier_per_column) product.multipliers += first;
  if (product.column_terms != nullptr) product.column_terms += first;
  return product;
}

// Of the largest group: the size may depend on the weights.
int64_t product_bytes(const GemmKernel& kernel, const ConvProblem& problem, const ConvHeader& header) {
  size_t bytes = 0;
  for (int64_t group = 0; group < problem.shape.groups; ++group) {
    bytes = std::max(bytes, kernel.packed_bytes(product_of(problem, header, group)));
  }
  return round_up(static_cast<int64_t>(bytes), kAlign);
}

const ConvHeader& header_in(const std::byte* packed) { return *reinterpret_cast<const ConvHeader*>(packed); }

}  // namespace

Choice<GemmKernel> choose_conv(const ConvProblem& problem, int64_t images) {
  const GemmKernel& any = gemm_kernels().back();  // the numbers of taps and codes are the same for all
  GemmProblem product = product_of(problem, header_of(any, problem), 0);
  product.rows = images * problem.shape.out_height * problem.shape.out_width;
  return choose_gemm(product);
}

size_t conv_packed_bytes(const GemmKernel& kernel, const ConvProblem& problem) {
  const ConvHeader header = header_of(kernel, problem);
  return static_cast<size_t>(header.products + problem.shape.groups * product_bytes(kernel, problem, header));
}

void pack_conv(const GemmKernel& kernel, const ConvProblem& problem, std::byte* to) {
  ConvHeader header = header_of(kernel, problem);
  header.product_bytes = problem.shape.groups > 1 ? product_bytes(kernel, problem, header) : 0;  // may take long
  fill_zero_points(header, header.products / header.code_bytes, to);
  std::memcpy(to, &header, sizeof(header));
  for (int64_t group = 0; group < problem.shape.groups; ++group) {
    kernel.pack(product_of(problem, header, group), to + header.products + group * header.product_bytes);
  }
}

Conv::Conv(const GemmKernel& kernel, const std::byte* packed) : kernel_(&kernel), packed_(packed) {}

std::string Conv::describe() const {
  std::string text(kernel_->name);
  if (kernel_->describe != nullptr) text += " (" + kernel_->describe(packed_ + header_in(packed_).products) + ")";
  return text;
}

int64_t Conv::pixels_per_image() const {
  const ConvHeader& header = header_in(packed_);
  return header.shape.out_height * header.shape.out_width;
}

// First the products' own scratch, then pointers, then rows at the border.
size_t Conv::scratch_bytes() const {
  const ConvHeader& header = header_in(packed_);
  const auto own = static_cast<int64_t>(kernel_->scratch_bytes(packed_ + header.products));
  const int64_t pointers = header.rows_per_call * header.taps;
  return static_cast<size_t>(round_up(own, kAlign) + round_up(pointers * static_cast<int64_t>(sizeof(void*)), kAlign) +
                             pointers * border_bytes(header));
}

double Conv::operations(int64_t images) const {
  const ConvHeader& header = header_in(packed_);
  return static_cast<double>(images * pixels_per_image()) * static_cast<double>(header.shape.out_channels) *
         static_cast<double>(header.taps * header.depth);
}

ConvPart Conv::part(int64_t images, int64_t index, int64_t count) const {
  const ConvHeader& header = header_in(packed_);
  const int64_t pixels = images * pixels_per_image();
  const int64_t blocks = header.shape.groups * kernel_->column_blocks(packed_ + header.products);
  // How much longer the largest part takes than the average one, and what all parts have to read.
  const auto excess = [&](int64_t units) {
    return static_cast<double>((units + count - 1) / count * count) / static_cast<double>(std::max<int64_t>(units, 1));
  };
  const int64_t weights = header.shape.out_channels * header.taps * header.depth;
  const int64_t activations = pixels * header.shape.in_channels;
  constexpr double kWorthSharing = 1.05;  // a cut that shares the larger operand may be so much less even
  const bool by_pixels = excess(pixels) <= excess(blocks) * (weights > activations ? 1 / kWorthSharing : kWorthSharing);
  ConvPart part = {.first_pixel = 0, .last_pixel = pixels, .first_block = 0, .last_block = blocks};
  if (by_pixels) {
    part.first_pixel = pixels * index / count;
    part.last_pixel = pixels * (index + 1) / count;
  } else {
    part.first_block = blocks * index / count;
    part.last_block = blocks * (index + 1) / count;
  }
  return part;
}

void Conv::run(const uint8_t* src, void* dst, const ConvPart& part, std::byte* scratch,
               const ConvRowConstants& constants) const {
  const ConvHeader& header = header_in(packed_);
  const ConvShape& s = header.shape;
  const std::byte* products = packed_ + header.products;
  const auto own = static_cast<int64_t>(kernel_->scratch_bytes(products));
  auto** rows = reinterpret_cast<const uint8_t**>(scratch + round_up(own, kAlign));
  const int64_t pointers = header.rows_per_call * header.taps;
  auto* borders = reinterpret_cast<uint8_t*>(rows) + round_up(pointers * static_cast<int64_t>(sizeof(void*)), kAlign);

  const int64_t blocks = kernel_->column_blocks(products);
  for (int64_t group = part.first_block / blocks; group * blocks < part.last_block; ++group) {
    const std::byte* product = products + group * header.product_bytes;
    GemmRun run = {.rows = rows,
                   .first_block = std::max<int64_t>(part.first_block - group * blocks, 0),
                   .last_block = std::min(part.last_block - group * blocks, blocks),
                   .to_stride = s.out_pixel_stride,
                   .scratch = scratch};
    std::byte* to = static_cast<std::byte*>(dst) + group * (s.out_channels / s.groups) * header.element_bytes;
    for (int64_t pixel = part.first_pixel; pixel < part.last_pixel; pixel += run.row_count) {
      run.row_count = std::min(header.rows_per_call, part.last_pixel - pixel);
      run.to = to + pixel * s.out_pixel_stride;
      if (constants.terms != nullptr) run.row_terms = constants.terms + pixel;
      if (constants.scales != nullptr) run.row_scales = constants.scales + pixel;
      point_conv_rows(header, src, group, pixel, pixel + run.row_count, rows, borders);
      kernel_->run(product, run);
    }
  }
}

}  // namespace halftone::kernels
