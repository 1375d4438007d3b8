// Which nodes of a quantized network are computed in integers, and with which constants. The reference interpreter and
// every engine take the plan from here, so that they can't disagree about it. The arithmetic that the constants enter
// is written out in docs/quantization.md.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "halftone/quant/encodings.h"
#include "halftone/quant/requantize.h"

namespace halftone {

// Kinds of integer arithmetic; x stands for q - zero_point of an operand in codes.
enum class IntegerForm {
  Convolution,            // Conv: acc = bias + sum x * w
  TransposedConvolution,  // ConvTranspose: the same sum
  MatrixProduct,          // MatMul, Gemm (weights or two activations): the same sum
  Sum,                    // Add: steps = float(a) * multipliers[0] + float(b) * multipliers[1], or `dyadic_sum`
  Product,                // Mul: acc = a * b
  Activation,             // Relu, Clip, LeakyRelu: acc = x; the sign of x picks multipliers[0] (x >= 0) or [1] (x < 0)
  Function,               // Sigmoid, HardSwish, Sub of a constant ...: a table over the codes of one operand
  WindowMean,             // AveragePool: acc = sum of x; the multiplier depends on the number of elements
  Mean,                   // GlobalAveragePool, ReduceMean: the same over `axes`
  Move,                   // elements moved or picked by comparison: acc = x
  Concatenation,          // Concat: acc = x; multipliers[i] belongs to input i
  DynamicProduct,         // Conv, Gemm, MatMul on grids found at run time: acc = sum x * w, see IntegerNode::dynamic
};

// Where results go and how they get there.
struct IntegerOutput {
  ValueId value = ValueId::None;
  // nullopt: the value has no encoding; its real content is float(acc) * multipliers[channel] in float32.
  std::optional<Grid> grid;
  // Bounds of the codes: the grid's, narrowed by an absorbed Relu or Clip.
  int32_t low = 0, high = 0;
  // Factors from accumulators to steps of the output grid. Sums over products have one per output channel; for the
  // other forms see IntegerForm. Normal positive float32 numbers, except the second one of a LeakyRelu, which may be
  // zero or negative.
  std::vector<float> multipliers;
  RequantizeMode mode = RequantizeMode::Float;

  // The code of a sum, in the output's mode; dyadic mode takes make_dyadic(multiplier) for the multiplier.
  int32_t requantize(int32_t acc, float multiplier) const {
    return mode == RequantizeMode::Float ? halftone::requantize(acc, multiplier, grid->zero_point, low, high)
                                         : requantize_dyadic(acc, make_dyadic(multiplier), grid->zero_point, low, high);
  }
  int32_t to_code(float steps) const { return halftone::to_code(steps, grid->zero_point, low, high); }
};

// One node, or a node together with the activation that follows it.
struct IntegerNode {
  IntegerForm form = IntegerForm::Move;
  int node = -1;        // position in graph.nodes()
  int activation = -1;  // position of the absorbed Relu or Clip, or -1: its work is done by the outputs' bounds
  std::vector<IntegerOutput> outputs;  // one; Split has several
  // By input of the node: the grid of an operand that is read as codes; nullopt for weights, biases and for operands
  // that are no numbers to compute with (shapes, axes).
  std::vector<std::optional<Grid>> inputs;

  // Convolutions and matrix products: codes of the constant weights as they lie in the model (Undefined when both
  // operands are activations), zero points (one, or one per slice of `weight_axis`), and the int32 bias by output
  // channel (empty: none).
  Tensor weights;
  std::vector<int32_t> weight_zero_points;
  int64_t weight_axis = -1;
  std::vector<int32_t> bias;

  // Sum and Product with a constant that has no encoding, in input `constant_input`; the constant's own shape.
  //   Sum:     float32(c / s_y), what it adds to the steps; dyadic mode: int64, in steps times 2^dyadic_sum.shift
  //   Product: float32(s_x * c / s_y), what x is multiplied with to give steps
  Tensor constant;
  int constant_input = -1;
  // Sum in dyadic mode; a is input 0, or the operand in codes where the other one is `constant`.
  DyadicSum dyadic_sum;

  // Mean: the axes, from the front and ascending, and whether they stay as 1.
  std::vector<int64_t> axes;
  bool keep_axes = true;
  // Means: the multiplier for `count` elements, float32(s_x / (s_y * count)) with s_y * count exact in double.
  float mean_multiplier(int64_t count) const {
    return make_multiplier(double{inputs[0]->scale}, 1.0, double{outputs[0].grid->scale} * static_cast<double>(count));
  }

  // DynamicProduct: the node reads real activations (`inputs` has no grids) and gives a real result,
  //   float(acc) * float32(s_x * multipliers[channel]) + real_bias[channel]
  // with the scale s_x of dynamic_grid (quant/dynamic_grid.h). `multipliers` are the weights' scales; {1} for two
  // activations, whose scales are multiplied instead. The bias (empty: none) is float.
  std::optional<DynamicRange> dynamic;
  std::vector<float> real_bias;
  // Whether computing the node takes the content of input i, as codes or as it is; the plan has the others already.
  bool reads(size_t i) const {
    if (dynamic) return i == 0 || (i == 1 && !weights.defined());
    return inputs[i].has_value() || !weights.defined();
  }

  // Move of a Pad: the code that padded elements get, in both modes that of float32(c / s_x) * multipliers[0] steps.
  int32_t pad_code = 0;
};

// The weights minus their zero points, in the model's own order.
std::vector<int32_t> centred_weights(const IntegerNode& node);

struct IntegerPlan {
  RequantizeMode mode = RequantizeMode::Float;
  std::vector<std::optional<IntegerNode>> nodes;  // by position in graph.nodes(); nullopt: computed in float
  std::vector<bool> absorbed;                     // by position: the activation is part of another node
  std::map<int, std::string>
      refusals;  // position -> why a node that reads or writes an encoded value is not in integers
};

// Decides for every node of the model. A node is computed in integers when integer_ops.def lists it, its operands have
// per-tensor encodings of at most 16 bits (weights also per output channel), its result has one too or is a sum of
// products, all multipliers are normal float32 numbers, and no accumulator can leave int32:
//   |bias_c| + sum over the channel's weights |w| * max|x| < 2^31    (two activations: k * max|a| * max|b|)
// A Relu or Clip with constant bounds is absorbed where it alone reads a result without an encoding, and its own result
// has one. Dyadic mode refuses sums whose multipliers have no common shift (make_dyadic_sum). Shapes are inferred on a
// copy of the graph; where a sum's length stays unknown the node is refused. Errors: Error{InvalidModel} from shape
// inference, or for an encoding that contradicts its constant. Cost: one pass over the weights.
IntegerPlan plan_integers(const QuantizedModel& model, RequantizeMode mode = RequantizeMode::Float);

}  // namespace halftone
