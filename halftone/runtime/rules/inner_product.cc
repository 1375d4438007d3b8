#include <algorithm>
#include <utility>

#include "halftone/runtime/activation.h"
#include "halftone/runtime/onednn.h"
#include "halftone/runtime/split.h"

namespace halftone::runtime {
namespace {

using Tag = dnnl::memory::format_tag;

// y[m, n] = x[m, k] * w[k, n] + bias[n]
struct Product {
  int64_t m = 1, n = 1, k = 1;
  bool weights_are_nk = false;
  const Tensor* weights = nullptr;
  float alpha = 1;
  std::vector<float> bias;  // empty: none
};

// The bias of a Gemm as one number per column. "" or why it is none.
std::string read_bias(const Lowering& lowering, const Node& node, Product& product) {
  if (node.input(2) == ValueId::None) return "";
  const Tensor* bias = lowering.constant(node.inputs[2]);
  if (bias == nullptr || bias->dtype() != DType::Float) return "C is not a constant of floats";
  const bool per_column = bias->size() == product.n && bias->dim(bias->rank() - 1) == product.n;
  if (bias->size() != 1 && !per_column) return "C is not one number per column";
  for (int64_t n = 0; n < product.n; ++n) {
    const float value = bias->data<float>()[bias->size() == 1 ? 0 : static_cast<size_t>(n)];
    product.bias.push_back(value * node.float_or("beta", 1.0f));
  }
  return "";
}

std::string read_product(const Lowering& lowering, const Node& node, Product& product) {
  const bool gemm = node.is("Gemm");
  if (!gemm && !node.is("MatMul")) return "no matrix product";
  product.weights = lowering.constant(node.input(1));
  const std::optional<Shape> x = lowering.float_shape(node.input(0)), y = lowering.float_shape(node.output(0));
  if (product.weights == nullptr || product.weights->dtype() != DType::Float || product.weights->rank() != 2) {
    return "the second operand is not a constant matrix of floats";
  }
  if (!x || !y || x->size() < 2) return "the first operand's shape is unknown or not a matrix";
  product.weights_are_nk = gemm && node.int_or("transB", 0) != 0;
  if (gemm && node.int_or("transA", 0) != 0) return "the first operand is transposed";
  product.alpha = gemm ? node.float_or("alpha", 1.0f) : 1.0f;
  product.k = x->back();
  product.n = product.weights->dim(product.weights_are_nk ? 0 : 1);
  product.m = product.k == 0 ? 0 : element_count(*x) / product.k;
  if (product.m * product.n * product.k == 0) return "nothing to compute";
  return gemm ? read_bias(lowering, node, product) : "";
}

}  // namespace

std::string lower_inner_product(Lowering& lowering) {
  const Node& node = lowering.node();
  Product product;
  if (std::string reason = read_product(lowering, node, product); !reason.empty()) return reason;
  const SingleThreadScope single;
  const Chain chain = follow(lowering, node.output(0), false);
  dnnl::post_ops post_ops;
  if (product.alpha != 1.0f) {
    if (!product.bias.empty()) return "alpha together with a bias";
    post_ops.append_eltwise(1.0f, dnnl::algorithm::eltwise_linear, product.alpha, 0.0f);
  }
  for (int i = 0; i < chain.post_ops.len(); ++i) {
    float scale = 1, alpha = 0, beta = 0;
    dnnl::algorithm algorithm{};
    chain.post_ops.get_params_eltwise(i, scale, algorithm, alpha, beta);
    post_ops.append_eltwise(scale, algorithm, alpha, beta);
  }

  // One row: slices of columns, each contiguous; several rows: slices of rows.
  const bool by_rows = product.m >= lowering.threads() && lowering.threads() > 1;
  const double us = static_cast<double>(product.m * product.n * product.k) / (by_rows ? 50e3 : 5e3);
  const int64_t wanted = us < 3 || (product.m > 1 && !by_rows) ? 1 : lowering.threads();
  const Split split{by_rows ? product.m : product.n, by_rows ? 1 : 16,
                    std::min(wanted, by_rows ? product.m : (product.n + 15) / 16)};
  try {
    const Place src = lowering.plain(node.inputs[0]);
    const Place dst = lowering.allocate(DType::Float, *lowering.float_shape(chain.output), Layout::Plain);
    std::vector<PrimitivePart> parts;
    Operand bias;
    if (!product.bias.empty()) bias = pack(product.bias.data(), flat_desc(product.n), flat_desc(product.n));
    // How weights lie best depends on the number of rows, by which parts may differ; columns are each part's own.
    std::vector<std::pair<dnnl::memory::desc, Operand>> packed;
    const auto pack_weights = [&](int64_t first, int64_t n, const dnnl::memory::desc& order) {
      const auto found =
          std::ranges::find_if(packed, [&](const auto& known) { return by_rows && known.first == order; });
      if (found != packed.end()) return found->second;
      const dnnl::memory::dims strides =
          product.weights_are_nk ? dnnl::memory::dims{product.k, 1} : dnnl::memory::dims{1, product.n};
      const float* data = product.weights->data<float>().data() + first * (product.weights_are_nk ? product.k : 1);
      const dnnl::memory::desc given({n, product.k}, kFloat, strides);
      return packed.emplace_back(order, pack(data, given, order)).second;
    };
    for (int i = 0; i < split.parts(); ++i) {
      const int64_t begin = split.begin(i), size = split.end(i) - begin;
      const int64_t m = by_rows ? size : product.m, n = by_rows ? product.n : size;
      const dnnl::memory::desc src_desc({m, product.k}, kFloat, Tag::ab), dst_desc({m, n}, kFloat, Tag::ab);
      const dnnl::memory::desc any_weights({n, product.k}, kFloat, Tag::any);
      constexpr auto kForward = dnnl::prop_kind::forward_inference;
      const auto operation =
          product.bias.empty()
              ? dnnl::inner_product_forward::desc(kForward, src_desc, any_weights, dst_desc)
              : dnnl::inner_product_forward::desc(kForward, src_desc, any_weights, flat_desc(n), dst_desc);
      const dnnl::inner_product_forward::primitive_desc desc(operation, make_attributes(post_ops), engine());
      PrimitivePart part{dnnl::inner_product_forward(desc), {}};
      part.arguments = {
          {DNNL_ARG_SRC, src_desc, shifted(src.where, by_rows ? begin * product.k : 0)},
          {DNNL_ARG_WEIGHTS, desc.weights_desc(), pack_weights(by_rows ? 0 : begin, n, desc.weights_desc())},
          {DNNL_ARG_DST, dst_desc, shifted(dst.where, by_rows ? begin * product.n : begin)}};
      if (!product.bias.empty()) {
        part.arguments.push_back({DNNL_ARG_BIAS, desc.bias_desc(), shifted(bias, by_rows ? 0 : begin)});
      }
      parts.push_back(std::move(part));
    }
    add_primitives(lowering, describe(lowering.graph(), node), std::move(parts));
    absorb(lowering, chain);
    lowering.define(chain.output, dst);
    return "";
  } catch (const dnnl::error& error) {
    return error.what();
  }
}

}  // namespace halftone::runtime
