// A small network with everything that quantized training meets, for the room's tests.
#pragma once

#include "halftone/quant/assign.h"
#include "halftone/train/test_tensors.h"
#include "halftone/transform/pass.h"

namespace halftone::train {

// Builds networks name by name.
struct Net {
  Graph graph;
  ValueId add(const std::string& op, std::vector<ValueId> inputs, const std::string& result) {
    Node node;
    node.name = result + "_node";
    node.op_type = op;
    node.inputs = std::move(inputs);
    node.outputs = {graph.add_value(result)};
    graph.nodes().push_back(node);
    return node.outputs[0];
  }
  ValueId conv(ValueId x, const std::string& result, Shape weights, bool bias, uint64_t seed) {
    const int64_t channels = weights[0];
    std::vector<ValueId> inputs = {x, graph.add_constant(result + ".w", reals(weights, seed, 0.3))};
    if (bias) inputs.push_back(graph.add_constant(result + ".b", reals({channels}, seed + 1)));
    const ValueId y = add("Conv", inputs, result);
    graph.nodes().back().set_attribute("pads", std::vector<int64_t>{1, 1, 1, 1});
    return y;
  }
  ValueId norm(ValueId x, const std::string& result, int64_t channels, uint64_t seed) {
    Tensor variance = reals({channels}, seed + 3);
    for (float& v : variance.mutable_data<float>()) v = 0.5f + v * v;
    Tensor gamma = reals({channels}, seed);
    gamma.mutable_data<float>()[1] = 0;  // a dead channel
    return add("BatchNormalization",
               {x, graph.add_constant(result + ".gamma", gamma),
                graph.add_constant(result + ".beta", reals({channels}, seed + 1)),
                graph.add_constant(result + ".mean", reals({channels}, seed + 2)),
                graph.add_constant(result + ".var", variance)},
               result);
  }
};

// Conv, norm, relu; a second of them added to the first; pooled, flattened and classified.
inline Graph residual_net() {
  Net net;
  Graph& graph = net.graph;
  const ValueId x = graph.add_value("x", {DType::Float, to_dims({2, 3, 6, 6})});
  graph.inputs() = {x};
  ValueId a = net.add("Relu", {net.norm(net.conv(x, "c1", {4, 3, 3, 3}, true, 1), "n1", 4, 10)}, "r1");
  const ValueId b = net.norm(net.conv(a, "c2", {4, 4, 3, 3}, false, 2), "n2", 4, 20);
  a = net.add("Relu", {net.add("Add", {a, b}, "sum")}, "r2");
  a = net.add("Flatten", {net.add("GlobalAveragePool", {a}, "pool")}, "flat");
  a = net.add("Gemm", {a, graph.add_constant("fc.w", reals({4, 5}, 7)), graph.add_constant("fc.b", reals({5}, 8))},
              "y");
  graph.outputs() = {a};
  return graph;
}

// Its post-training quantized form.
struct Quantized {
  Graph float_graph = residual_net();
  QuantizedModel planned;
  QuantPlan plan;

  explicit Quantized(int bits = 4) {
    const Recipe recipe =
        make_recipe("int" + std::to_string(bits), "uint" + std::to_string(bits), "per_channel", "min_max");
    const Graph simple = transform::simplify(float_graph);
    plan = plan_quantization(simple, recipe);
    const std::vector<ChannelRanges> ranges(plan.groups.size(), {Range{-2, 3}});
    planned = assign_encodings(simple, plan, ranges);
  }
};

}  // namespace halftone::train
