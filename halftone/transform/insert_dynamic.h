// Products whose activations get their grids at run time, in standard operators. Internal to insert_qdq.
#pragma once

#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "halftone/quant/integer_plan.h"

namespace halftone {

// Appends nodes to a graph of opset 13 or more.
//
// * PerTensor: DynamicQuantizeLinear (one for all nodes that read the value), ConvInteger or MatMulInteger, Cast, Mul
//   with the product of the scales, Add of the bias: what ONNX Runtime's quantize_dynamic writes.
// * PerRow: ReduceMin, ReduceMax, Div, Round, Clip and Cast make the codes; MatMulInteger takes them without zero
//   point, since runtimes want a single one there, and what is too much, the zero point times the sum of each column
//   of weights, is taken off in int32.
//
// A Gemm is written as MatMulInteger and Add.
class DynamicWriter {
 public:
  explicit DynamicWriter(Graph& graph) : graph_(graph) {}

  // `node` as planned; `weights` is the grid of its constant weights, nullptr for two activations. Errors:
  // Error{Unsupported} for weights of other than 8 bits.
  void write(const Node& node, const IntegerNode& plan, const QuantParams* weights);

 private:
  // A value in codes: what the product and the step read. `zero` is uint8, or (rows) float.
  struct Codes {
    ValueId codes, scale, zero;
  };
  struct Weights {
    ValueId codes, scale, zero = ValueId::None, sums = ValueId::None;
  };

  Codes quantize(ValueId x);
  Codes quantize_rows(ValueId x);
  Weights write_weights(const Node& node, const IntegerNode& plan, const QuantParams& grid);
  // What zero points add to the sums of codes: zero times the sums of the second operand's columns.
  ValueId correction(const std::string& stem, ValueId zero, ValueId sums);
  ValueId column_sums(const Codes& b, const std::string& stem);

  ValueId add(const std::string& op, std::vector<ValueId> inputs, const std::string& output, DType dtype,
              const std::vector<std::pair<std::string, AttributeValue>>& attributes = {});
  ValueId cast(ValueId x, DType dtype, const std::string& output);
  // A constant that all nodes share, which has this name or one like it.
  ValueId shared(const std::string& name, const Tensor& content);
  const std::string& name(ValueId id) const { return graph_.value(id).name; }

  Graph& graph_;
  std::map<std::string, ValueId> shared_;
  std::map<ValueId, Codes> whole_, rows_;
  std::map<std::tuple<ValueId, bool, bool>, Weights> weights_;  // by value, whether transposed, whether with sums
};

}  // namespace halftone
