// DepthToSpace and SpaceToDepth. https://onnx.ai/onnx/operators/onnx__DepthToSpace.html
#include "halftone/sim/ops.h"
#include "halftone/sim/ops/element_writer.h"

namespace halftone::sim::ops {
namespace {

// x read as a tensor of shape `split`, its dimensions reordered, written as a tensor of shape `result`.
Tensor rearrange(const Tensor& x, const Shape& split, const std::vector<size_t>& order, Shape result) {
  const std::vector<int64_t> strides = contiguous_strides(split);
  Shape reordered;
  std::vector<int64_t> reordered_strides;
  for (size_t dim : order) {
    reordered.push_back(split[dim]);
    reordered_strides.push_back(strides[dim]);
  }
  return take(x, std::move(result), strided_indices(reordered, reordered_strides));
}

// The node's block size for an operand [N, C, H, W].
int64_t block_of(const OpCall& call, const Tensor& x) {
  const int64_t block = call.node.int_or("blocksize", 0);
  if (block < 1 || block > (int64_t{1} << 20))
    call.refuse("blocksize must be a small positive number, found {}", block);
  if (x.rank() != 4) call.refuse("requires an operand [N, C, H, W], found {}", to_string(x.shape()));
  return block;
}

std::string mode_of(const OpCall& call) {
  const std::string mode = call.node.string_or("mode", "DCR");
  if (mode != "DCR" && mode != "CRD") call.refuse("mode must be DCR or CRD, found '{}'", mode);
  return mode;
}

}  // namespace

// The depth's index is (block row, block column, channel) in mode DCR, (channel, block row, block column) in mode CRD.
std::vector<Tensor> depth_to_space(const OpCall& call) {
  const Tensor& x = call.input(0);
  const int64_t b = block_of(call, x);
  const int64_t n = x.dim(0), c = x.dim(1) / (b * b), h = x.dim(2), w = x.dim(3);
  if (x.dim(1) % (b * b) != 0) call.refuse("{} channels are no multiple of {}", x.dim(1), b * b);
  const Shape result = {n, c, h * b, w * b};
  if (mode_of(call) == "DCR") return {rearrange(x, {n, b, b, c, h, w}, {0, 3, 4, 1, 5, 2}, result)};
  return {rearrange(x, {n, c, b, b, h, w}, {0, 1, 4, 2, 5, 3}, result)};
}

// The same order of the depth's index; before opset 28 there was only DCR.
std::vector<Tensor> space_to_depth(const OpCall& call) {
  const Tensor& x = call.input(0);
  const int64_t b = block_of(call, x);
  const int64_t n = x.dim(0), c = x.dim(1), h = x.dim(2) / b, w = x.dim(3) / b;
  if (x.dim(2) % b != 0 || x.dim(3) % b != 0) {
    call.refuse("height and width must be multiples of {}, found {}", b, to_string(x.shape()));
  }
  const Shape result = {n, c * b * b, h, w};
  if (mode_of(call) == "DCR") return {rearrange(x, {n, c, h, b, w, b}, {0, 3, 5, 1, 2, 4}, result)};
  return {rearrange(x, {n, c, h, b, w, b}, {0, 1, 3, 5, 2, 4}, result)};
}

}  // namespace halftone::sim::ops
