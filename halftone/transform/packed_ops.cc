#include "halftone/transform/packed_ops.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace halftone {
namespace {

// Nodes one after the other; every result is named after what it is.
class Body {
 public:
  explicit Body(std::string_view name, int64_t opset)
      : function_{std::string(kPackedDomain), std::string(name), {}, {}} {
    graph_.name = name;
    graph_.opset_imports = {{"", opset}};
  }

  ValueId input(const std::string& name) { return graph_.inputs().emplace_back(graph_.add_value(name)); }
  template <typename T>
  ValueId constant(const std::string& name, const Shape& shape, const std::vector<T>& content) {
    return graph_.add_constant(name, Tensor::from<T>(shape, content));
  }
  ValueId node(const std::string& op, std::vector<ValueId> inputs, const std::string& result,
               const std::vector<std::pair<std::string, AttributeValue>>& attributes = {}) {
    Node node;
    node.op_type = op;
    node.inputs = std::move(inputs);
    node.outputs = {graph_.add_value(result)};
    for (const auto& [name, value] : attributes) node.set_attribute(name, value);
    graph_.nodes().push_back(std::move(node));
    return graph_.nodes().back().outputs[0];
  }
  Function finish(ValueId result) {
    graph_.outputs() = {result};
    function_.body = std::make_shared<const Graph>(std::move(graph_));
    return std::move(function_);
  }

 private:
  Function function_;
  Graph graph_;
};

AttributeValue type_attribute(DType dtype) { return static_cast<int64_t>(dtype); }

Function unpack_bits(int64_t opset) {
  Body body(kUnpackBits, opset);
  const ValueId planes = body.input("planes"), shape = body.input("shape"), low = body.input("low");
  std::vector<float> powers;
  for (int k = 0; k < kMaxBitPlanes; ++k) powers.push_back(std::ldexp(1.0F, k));
  // Each byte eight times, shifted by 0 to 7, of which the lowest bit is left.
  const ValueId last = body.constant<int64_t>("last", {1}, {2});
  const ValueId bytes = body.node("Unsqueeze", {planes, last}, "bytes");
  const ValueId positions = body.constant<uint8_t>("positions", {1, 1, 8}, {0, 1, 2, 3, 4, 5, 6, 7});
  const ValueId shifted = body.node("BitShift", {bytes, positions}, "shifted", {{"direction", std::string("RIGHT")}});
  const ValueId odd = body.node("Mod", {shifted, body.constant<uint8_t>("two", {}, {2})}, "bits");
  const ValueId bits = body.node("Cast", {odd}, "float_bits", {{"to", type_attribute(DType::Float)}});
  const ValueId rows = body.node("Reshape", {bits, body.constant<int64_t>("by_plane", {2}, {0, -1})}, "plane_bits");
  // Sums of at most 16 powers of two, which float32 holds exactly.
  const ValueId start = body.constant<int64_t>("start", {1}, {0});
  const ValueId count = body.node("Shape", {planes}, "plane_count", {{"end", int64_t{1}}});
  const ValueId weights =
      body.node("Slice", {body.constant<float>("powers", {kMaxBitPlanes}, powers), start, count}, "plane_weights");
  const ValueId sums = body.node("MatMul", {weights, rows}, "sums");
  const ValueId size = body.node("ReduceProd", {shape}, "size", {{"keepdims", int64_t{1}}});
  const ValueId used = body.node("Slice", {sums, start, size}, "used");
  const ValueId shaped = body.node("Reshape", {used, shape}, "shaped");
  const ValueId real_low = body.node("Cast", {low}, "float_low", {{"to", type_attribute(DType::Float)}});
  return body.finish(body.node("CastLike", {body.node("Add", {shaped, real_low}, "float_codes"), low}, "codes"));
}

Function dequantize_levels(int64_t opset) {
  Body body(kDequantizeLevels, opset);
  const ValueId codes = body.input("codes"), scale = body.input("scale");
  const ValueId levels = body.input("levels"), axis = body.input("axis");
  const ValueId zero = body.constant<int64_t>("zero", {}, {0}), one = body.constant<int64_t>("one", {}, {1});
  const ValueId minus_one = body.constant<int64_t>("minus_one", {1}, {-1});
  // One row of real numbers for all channels, or one for each.
  const ValueId width = body.node("Shape", {levels}, "width", {{"start", int64_t{-1}}});
  const ValueId by_row = body.node("Concat", {minus_one, width}, "by_row", {{"axis", int64_t{0}}});
  const ValueId rows = body.node("Reshape", {levels, by_row}, "rows");
  const ValueId factors = body.node("Reshape", {scale, body.constant<int64_t>("by_factor", {2}, {-1, 1})}, "factors");
  const ValueId reals = body.node("Mul", {factors, rows}, "reals");
  const ValueId table = body.node("Reshape", {reals, minus_one}, "table");
  // Where each channel's row begins, laid along the axis.
  const ValueId row_count = body.node("Div", {body.node("Shape", {table}, "entries"), width}, "row_count");
  const ValueId end = body.node("Squeeze", {row_count}, "end");
  const ValueId begins = body.node("Mul", {body.node("Range", {zero, end, one}, "row"), width}, "begins");
  const ValueId code_shape = body.node("Shape", {codes}, "code_shape");
  // Not Size, which the shape inference of onnx (as of 1.23) takes for the number of elements of the codes.
  const ValueId rank = body.node("Squeeze", {body.node("Shape", {code_shape}, "code_rank")}, "rank");
  const ValueId along = body.node("Equal", {body.node("Range", {zero, rank, one}, "dims"), axis}, "along");
  const ValueId channel_shape = body.node("Where", {along, minus_one, one}, "channel_shape");
  const ValueId offsets = body.node("Reshape", {begins, channel_shape}, "offsets");
  const ValueId whole = body.node("Cast", {codes}, "positions_in_row", {{"to", type_attribute(DType::Int64)}});
  return body.finish(body.node("Gather", {table, body.node("Add", {whole, offsets}, "positions")}, "real"));
}

struct PackedOp {
  std::string_view name;
  Function (*make)(int64_t opset);
};
constexpr PackedOp kPackedOps[] = {{kUnpackBits, unpack_bits}, {kDequantizeLevels, dequantize_levels}};

// A node, or for all we can see something inside a subgraph or another function.
bool may_call(const Graph& graph, std::string_view op) {
  const auto mentions = [&](const std::string& bytes) { return bytes.find(op) != std::string::npos; };
  for (const Node& node : graph.nodes()) {
    if (is_packed_op(node, op)) return true;
    for (const Attribute& attribute : node.attributes) {
      const auto* opaque = std::get_if<OpaqueAttribute>(&attribute.value);
      if (opaque != nullptr && mentions(opaque->serialized)) return true;
    }
  }
  return std::any_of(graph.functions.begin(), graph.functions.end(), [&](const Function& function) {
    return function.domain != kPackedDomain && mentions(function.carried);
  });
}

}  // namespace

bool is_packed_op(const Node& node, std::string_view op) { return node.domain == kPackedDomain && node.op_type == op; }

void update_packed_functions(Graph& graph) {
  bool any = false;
  for (const PackedOp& op : kPackedOps) {
    const auto found = std::find_if(graph.functions.begin(), graph.functions.end(), [&](const Function& function) {
      return function.domain == kPackedDomain && function.name == op.name;
    });
    const bool is_there = found != graph.functions.end();
    if (!may_call(graph, op.name)) {
      if (is_there) graph.functions.erase(found);
      continue;
    }
    any = true;
    if (!is_there) {
      graph.functions.push_back(op.make(graph.opset()));
    } else if (found->body != nullptr) {
      *found = op.make(graph.opset());
    }
  }
  const std::string domain(kPackedDomain);
  if (any) {
    graph.opset_imports[domain] = kPackedVersion;
    graph.ir_version = std::max(graph.ir_version, kPackedMinIr);
  } else if (std::none_of(graph.nodes().begin(), graph.nodes().end(),
                          [&](const Node& node) { return node.domain == domain; })) {
    graph.opset_imports.erase(domain);
  }
}

}  // namespace halftone
