// Matrix products of two activations, in codes or on grids found in every run.
#include "halftone/kernels/matmul/matmul.h"

#include "halftone/runtime/integer_rules/code_steps.h"
#include "halftone/runtime/integer_rules/dynamic_codes.h"
#include "halftone/runtime/integer_rules/product.h"
#include "halftone/runtime/split.h"

namespace halftone::runtime {
namespace {

// Batches of matrices: [batch..., rows, depth] x [batch..., depth, columns], batches with broadcasting.
struct Batches {
  int64_t rows = 1, depth = 1, columns = 1;
  std::vector<int64_t> a, b;  // by batch of the result: which matrix of each operand
};

std::vector<int64_t> matrices_of(const Shape& operand, const Shape& result) {
  const size_t rank = result.size() - 2, missing = result.size() - operand.size();
  std::vector<int64_t> numbers;
  const int64_t total = element_count(Shape(result.begin(), result.end() - 2));
  for (int64_t batch = 0; batch < total; ++batch) {
    int64_t number = 0, rest = batch, unit = 1;
    for (size_t axis = rank; axis-- > 0;) {
      const int64_t at = rest % result[axis];
      rest /= result[axis];
      if (axis < missing) continue;
      const int64_t extent = operand[axis - missing];
      number += (extent == 1 ? 0 : at) * unit;
      unit *= extent;
    }
    numbers.push_back(number);
  }
  return numbers;
}

// The operands of one run, wherever they come from.
struct ProductOperands {
  Operand a, b;
  std::optional<DynamicCodes> dynamic_a, dynamic_b;
  int32_t a_zero_point = 0, b_zero_point = 0;
  kernels::Factor factor;
  kernels::StoredGrid grid;
};

void add_matmul(Lowering& lowering, const kernels::MatMulProblem& problem, const Batches& batches,
                const ProductOperands& operands, const Place& result) {
  const kernels::Choice<kernels::MatMulKernel> choice = choose_matmul(problem);
  lowering.note_choice(choice);
  const auto count = static_cast<int64_t>(batches.a.size());
  const double operations = static_cast<double>(count * batches.rows) * static_cast<double>(batches.depth) *
                            static_cast<double>(batches.columns);
  // Rows of all batches; a part that ends within a matrix packs its right operand once more.
  const Split split{count * batches.rows, 1,
                    std::min<int64_t>(product_parts(lowering, operations), count * batches.rows)};
  const size_t scratch_bytes = (choice.kernel->scratch_bytes(problem) + 63) / 64 * 64;
  const Operand scratch{lowering.add_buffer(scratch_bytes * static_cast<size_t>(split.parts())), nullptr, 0};
  const int64_t size = problem.result == kernels::MatMulResult::Real ? 4 : 1;
  Step step{describe(lowering.graph(), lowering.node()), split.parts(), nullptr};
  step.bind = [problem, batches, operands, to = result.where, size, scratch, scratch_bytes, split,
               compute = choice.kernel->run](RunMemory& memory) -> Step::Work {
    const auto* a = reinterpret_cast<const uint8_t*>(memory.at(operands.a));
    const auto* b = reinterpret_cast<const uint8_t*>(memory.at(operands.b));
    std::byte* target = memory.at(to);
    std::byte* own = memory.at(scratch);
    const auto zero_points = [&](const std::optional<DynamicCodes>& codes) {
      return codes ? reinterpret_cast<const int32_t*>(memory.at(codes->zero_points)) : nullptr;
    };
    const auto scales = [&](const std::optional<DynamicCodes>& codes) {
      return codes ? reinterpret_cast<const float*>(memory.at(codes->scales)) : nullptr;
    };
    return [=, a_zeros = zero_points(operands.dynamic_a), a_scales = scales(operands.dynamic_a),
            b_zeros = zero_points(operands.dynamic_b), b_scales = scales(operands.dynamic_b)](int part) {
      for (int64_t begin = split.begin(part); begin < split.end(part);) {
        const auto batch = static_cast<size_t>(begin / batches.rows);
        const int64_t row = begin % batches.rows;
        kernels::MatMulRun run;
        run.rows = std::min(batches.rows - row, split.end(part) - begin);
        const int64_t first = batches.a[batch] * batches.rows + row;  // of a's rows
        run.a = a + first * batches.depth;
        run.a_stride = batches.depth;
        run.b = b + batches.b[batch] * batches.depth * batches.columns;
        run.b_stride = batches.columns;
        run.to = target + begin * batches.columns * size;
        run.to_stride = batches.columns * size;
        run.a_zero_points = a_zeros != nullptr ? a_zeros + first : &operands.a_zero_point;
        run.a_zero_point_step = a_zeros != nullptr ? 1 : 0;
        run.b_zero_point = b_zeros != nullptr ? b_zeros[0] : operands.b_zero_point;
        run.factor = b_scales != nullptr ? kernels::make_factor(b_scales[0]) : operands.factor;
        run.row_scales = a_scales != nullptr ? a_scales + first : nullptr;
        run.grid = operands.grid;
        run.scratch = own + static_cast<size_t>(part) * scratch_bytes;
        compute(problem, run);
        begin += run.rows;
      }
    };
  };
  std::vector<Operand> touched = {operands.a, operands.b, result.where, scratch};
  for (const std::optional<DynamicCodes>* codes : {&operands.dynamic_a, &operands.dynamic_b}) {
    if (!*codes) continue;
    touched.push_back((*codes)->zero_points);
    touched.push_back((*codes)->scales);
  }
  lowering.add_step(std::move(step), touched);
}

}  // namespace

std::string lower_integer_matmul(Lowering& lowering) {
  const IntegerNode& plan = lowering.integers();
  const Node& node = lowering.node();
  const bool dynamic = plan.form == IntegerForm::DynamicProduct;
  if ((!dynamic && plan.form != IntegerForm::MatrixProduct) || plan.weights.defined()) return "no two activations";
  if (!all_narrow(plan)) return "codes of more than 8 bits";
  if (node.int_or("transA", 0) != 0 || node.int_or("transB", 0) != 0) return "an operand is transposed";
  if (!plan.bias.empty() || !plan.real_bias.empty()) return "a bias";
  const std::optional<Shape> a = lowering.float_shape(node.inputs[0]), b = lowering.float_shape(node.inputs[1]),
                             y = lowering.float_shape(node.outputs[0]);
  if (!a || !b || !y) return "a shape is unknown";
  if (a->size() < 2 || b->size() < 2) return "an operand is a vector";
  if (element_count(*y) == 0 || a->back() == 0) return "nothing to compute";

  Batches batches{(*y)[y->size() - 2], a->back(), y->back(), matrices_of(*a, *y), matrices_of(*b, *y)};
  const IntegerOutput& output = plan.outputs[0];
  kernels::MatMulProblem problem{batches.depth, batches.columns, output.mode,
                                 output.grid ? kernels::MatMulResult::Codes : kernels::MatMulResult::Real};
  ProductOperands operands;
  if (dynamic) {
    operands.dynamic_a = add_dynamic_codes(lowering, lowering.plain(node.inputs[0]), batches.depth, *plan.dynamic);
    operands.dynamic_b =
        add_dynamic_codes(lowering, lowering.plain(node.inputs[1]), batches.columns, DynamicRange::PerTensor);
    operands.a = operands.dynamic_a->codes;
    operands.b = operands.dynamic_b->codes;
  } else {
    operands.a = lowering.codes(node.inputs[0], Layout::Plain).where;
    operands.b = lowering.codes(node.inputs[1], Layout::Plain).where;
    operands.a_zero_point = kernels::stored_grid(*plan.inputs[0]).zero_point;
    operands.b_zero_point = kernels::stored_grid(*plan.inputs[1]).zero_point;
    operands.factor = kernels::make_factor(output.multipliers[0]);
    if (output.grid) operands.grid = stored_bounds(output);
  }
  const Place result = output.grid ? lowering.allocate_codes(*y, *output.grid, Layout::Plain)
                                   : lowering.allocate(DType::Float, *y, Layout::Plain);
  add_matmul(lowering, problem, batches, operands, result);
  define_result(lowering, result);
  return "";
}

}  // namespace halftone::runtime
