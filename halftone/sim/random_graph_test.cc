// Random networks of element-wise operators, reductions and data movers: what a run computes has the types that the
// shape rules predict, from given input shapes and from symbolic ones.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "halftone/base/rng.h"
#include "halftone/graph/op_table.h"
#include "halftone/sim/interpreter.h"
#include "halftone/sim/test_node.h"

namespace halftone::sim::random_graph_test {
namespace {

constexpr int64_t kOpset = 18;

// Grows a network node by node and computes each on the way; what can't be computed is not added.
class RandomNetwork {
 public:
  explicit RandomNetwork(uint64_t seed) : rng_(seed) {
    graph.opset_imports[""] = kOpset;
    for (int i = 0; i < 3; ++i) {
      Shape shape(below(5));
      for (int64_t& dim : shape) dim = 1 + static_cast<int64_t>(below(4));
      if (shape.empty() || below(20) > 0)
        add_input(shape);
      else
        add_input({0, shape[0]});
    }
    for (int step = 0; step < 25; ++step) grow();
    for (const auto& [id, tensor] : contents) {
      if (!graph.value(id).constant) graph.outputs().push_back(id);
    }
  }

  Graph graph;
  std::map<ValueId, Tensor> contents;
  std::map<std::string, Shape> input_shapes;
  std::map<std::string, int64_t> symbols;

 private:
  size_t below(size_t bound) { return static_cast<size_t>(rng_.below(bound)); }
  int64_t between(int64_t low, int64_t high) {
    return low + static_cast<int64_t>(rng_.below(static_cast<uint64_t>(high - low + 1)));
  }
  bool coin() { return below(2) == 0; }
  template <typename T>
  const T& any(const std::vector<T>& choices) {
    return choices[below(choices.size())];
  }

  void add_input(const Shape& shape) {
    std::vector<Dim> dims;
    for (const int64_t dim : shape) {
      const std::string symbol = fmt::format("s{}", symbols.size());
      // The rules may take it that a dimension that they don't know is no 0.
      if (dim == 0 || coin()) {
        dims.emplace_back(dim);
      } else {
        dims.emplace_back(symbol);
        symbols[symbol] = dim;
      }
    }
    const std::string name = fmt::format("in{}", input_shapes.size());
    const ValueId id = graph.add_value(name, {DType::Float, dims});
    graph.inputs().push_back(id);
    input_shapes[name] = shape;
    Tensor content(DType::Float, shape);
    for (float& x : content.mutable_data<float>()) x = static_cast<float>(between(-4, 4));
    contents[id] = content;
    pool_.push_back(id);
  }

  ValueId constant(const Tensor& tensor) {
    const ValueId id = graph.add_constant(graph.fresh_name("c"), tensor);
    contents[id] = tensor;
    return id;
  }
  ValueId constant(std::vector<int64_t> values) { return constant(vector_of(std::move(values))); }

  // The first output, or None when the operands don't fit or the results are large.
  ValueId add(const std::string& op, const std::vector<ValueId>& operands, const Attributes& attributes = {},
              size_t outputs = 1, size_t wanted = 0) {
    if (std::find(operands.begin(), operands.end(), ValueId::None) != operands.end()) return ValueId::None;
    Node node;
    node.op_type = op;
    node.inputs = operands;
    for (const auto& [name, value] : attributes) node.set_attribute(name, value);
    std::vector<Tensor> inputs;
    for (const ValueId id : operands) inputs.push_back(contents.at(id));
    std::vector<Tensor> results;
    try {
      results = run_node(op, kOpset, inputs, attributes, outputs);
    } catch (const Error&) {
      return ValueId::None;
    }
    for (const Tensor& result : results) {
      if (result.size() > 2000 || result.rank() > 6) return ValueId::None;
    }
    for (size_t i = 0; i < outputs; ++i) {
      const ValueId id = graph.add_value(graph.fresh_name(op));
      contents[id] = results[i];
      node.outputs.push_back(id);
    }
    graph.nodes().push_back(node);
    return node.outputs[wanted];
  }

  void keep(ValueId id) {
    if (id != ValueId::None) pool_.push_back(id);
  }
  ValueId to_float(ValueId id) { return add("Cast", {id}, {{"to", static_cast<int64_t>(DType::Float)}}); }

  void grow() {
    const ValueId x = any(pool_), y = any(pool_);
    const Shape shape = contents.at(x).shape();
    const int64_t rank = contents.at(x).rank(), size = contents.at(x).size();
    const auto axis = [&] { return between(-rank, std::max<int64_t>(rank - 1, 0)); };
    std::vector<int64_t> order(shape.size());
    for (size_t i = 0; i < order.size(); ++i) order[i] = static_cast<int64_t>(i);
    rng_.shuffle(order);
    const std::vector<int64_t> some(order.begin(), order.begin() + static_cast<int64_t>(below(order.size() + 1)));
    const auto numbers = [&](size_t count, int64_t low, int64_t high) {
      std::vector<int64_t> values(count);
      for (int64_t& value : values) value = between(low, high);
      return values;
    };
    const Attributes keepdims = {{"keepdims", between(0, 1)}};

    switch (below(22)) {
      case 0:
        return keep(add(any<std::string>({"Abs", "Neg", "Sign", "Round", "Ceil", "Relu", "Identity"}), {x}));
      case 1:
        return keep(add(any<std::string>({"Add", "Sub", "Mul", "Max", "Min", "Mean"}), {x, y}));
      case 2:
        return keep(add("Where", {add(any<std::string>({"Less", "Equal", "Greater"}), {x, y}), x, y}));
      case 3:
        return keep(add("Transpose", {x}, coin() ? Attributes{} : Attributes{{"perm", ints(order)}}));
      case 4: {
        const int64_t factor = any<int64_t>({1, 2, 3, 4});
        return keep(
            add("Reshape", {x, constant(coin() || size == 0 ? std::vector<int64_t>{-1, factor}
                                                            : std::vector<int64_t>{factor, size / factor, 1})}));
      }
      case 5:
        return keep(add("Reshape", {x, constant({0, -1})}));
      case 6:
        return keep(add("Flatten", {x}, {{"axis", between(-rank, rank)}}));
      case 7:
        return keep(add("Unsqueeze", {x, constant({between(-rank - 1, rank)})}));
      case 8:
        return keep(coin() ? add("Squeeze", {x}) : add("Squeeze", {x, constant({axis()})}));
      case 9:
        return keep(add("Slice", {x, constant(numbers(some.size(), -5, 5)), constant(numbers(some.size(), -5, 5)),
                                  constant(some), constant(numbers(some.size(), -2, 2))}));
      case 10:
        return keep(add("Pad", {x, constant(numbers(2 * shape.size(), -1, 2))},
                        {{"mode", any<std::string>({"constant", "reflect", "edge"})}}));
      case 11:
        return keep(add("Concat", {x, coin() ? x : y, x}, {{"axis", axis()}}));
      case 12:
        return keep(add("Split", {x}, {{"axis", axis()}, {"num_outputs", int64_t{2}}}, 2, below(2)));
      case 13:
        return keep(add("Gather", {x, constant(Tensor::from({2, 1}, numbers(2, -1, 0)))}, {{"axis", axis()}}));
      case 14:
        return keep(add("Tile", {x, constant(numbers(shape.size(), 0, 2))}));
      case 15:
        return keep(
            add(any<std::string>({"ReduceSum", "ReduceMax", "ReduceMean", "ReduceL2"}), {x, constant(some)}, keepdims));
      case 16: {
        Attributes attributes = keepdims;
        attributes.emplace_back("axis", axis());
        return keep(to_float(add("ArgMax", {x}, attributes)));
      }
      case 17:
        return keep(add("Expand", {x, add("Shape", {y})}));
      case 18: {
        const ValueId part = add("Shape", {y}, {{"start", between(-2, 2)}, {"end", between(-1, 4)}});
        return keep(add("ConstantOfShape", {add("Concat", {part, constant({2})}, {{"axis", int64_t{0}}})}));
      }
      case 19:
        return keep(add("TopK", {x, constant({between(0, 2)})}, {{"axis", axis()}}, 2));
      case 20:
        return keep(add("CumSum", {x, constant(Tensor::scalar(axis()))}));
      default:
        return keep(to_float(add("NonZero", {x})));
    }
  }

  Rng rng_;
  std::vector<ValueId> pool_;
};

int64_t number_of(const Dim& dim, const std::map<std::string, int64_t>& symbols) {
  if (dim.known()) return dim.value;
  const auto found = symbols.find(dim.symbol);
  return found == symbols.end() ? -1 : found->second;
}

// Holds what was inferred against what was computed; returns how many of the values have every dimension known.
int count_fixed(const Graph& inferred, const RandomNetwork& network) {
  int fixed = 0;
  for (const ValueId id : network.graph.outputs()) {
    const TensorType& type = inferred.value(id).type;
    const Tensor& content = network.contents.at(id);
    EXPECT_EQ(type.dtype, content.dtype()) << inferred.value(id).name;
    fixed += type.fixed_shape().has_value();
    if (!type.ranked()) continue;
    EXPECT_EQ(type.rank(), content.rank()) << inferred.value(id).name << ": " << to_string(type);
    for (int64_t d = 0; d < std::min(type.rank(), content.rank()); ++d) {
      const int64_t dim = number_of((*type.shape)[static_cast<size_t>(d)], network.symbols);
      EXPECT_TRUE(dim < 0 || dim == content.dim(d))
          << inferred.value(id).name << ": inferred " << to_string(type) << ", found " << to_string(content.shape());
    }
  }
  return fixed;
}

TEST(RandomGraphs, HaveThePredictedShapes) {
  int values = 0, fixed = 0;
  std::set<std::string> ops;
  for (uint64_t seed = 0; seed < 300; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    const RandomNetwork network(seed);
    for (const Node& node : network.graph.nodes()) ops.insert(node.op_type);
    ASSERT_NO_THROW(verify(network.graph));
    Graph symbolic = network.graph, numeric = network.graph;
    ASSERT_NO_THROW(infer_shapes(symbolic));
    ASSERT_NO_THROW(infer_shapes(numeric, network.input_shapes));
    count_fixed(symbolic, network);
    fixed += count_fixed(numeric, network);
    values += static_cast<int>(network.graph.outputs().size());

    TensorMap inputs;
    for (const ValueId id : network.graph.inputs()) inputs[network.graph.value(id).name] = network.contents.at(id);
    for (const auto& [name, tensor] : Interpreter(network.graph).run(inputs)) {
      EXPECT_TRUE(tensor.same_as(network.contents.at(network.graph.find(name)))) << name;
    }
    if (HasFailure()) return;
  }
  // Only what follows a NonZero depends on content.
  EXPECT_GT(fixed, values * 3 / 4) << "of " << values << " values too few have a predicted shape";
  EXPECT_GT(ops.size(), 30u) << "the networks are too alike";
}

}  // namespace
}  // namespace halftone::sim::random_graph_test
