#include "tests/hostile/seed_models.h"

#include <filesystem>

#include "halftone/base/file.h"
#include "halftone/onnx/onnx.h"
#include "halftone/transform/insert_qdq.h"
#include "tests/support/onnx_text.h"
#include "tests/support/quantized_net.h"
#include "tests/support/testdata.h"

namespace halftone::test {
namespace {

std::string input(const std::string& name, const std::vector<std::string>& dims) {
  return " input { " + float_type(name, dims) + " }";
}
std::string output(const std::string& name, const std::vector<std::string>& dims) {
  return " output { " + float_type(name, dims) + " }";
}
std::string raw(const std::string& name, const std::string& dims, int type, size_t bytes) {
  return " initializer { name: '" + name + "' dims: [" + dims + "] data_type: " + std::to_string(type) +
         " raw_data: '" + std::string(bytes, '!') + "' }";
}

std::string classifier() {
  return input("x", {"N", "3", "8", "8"}) + output("y", {"N", "5"}) + raw("w", "4, 3, 3, 3", 1, 432) +
         raw("b", "4", 1, 16) + raw("s", "4", 1, 16) + raw("m", "4", 1, 16) + raw("v", "4", 1, 16) +
         raw("f", "5, 64", 1, 1280) + " value_info { " + float_type("c", {"N", "4", "4", "4"}) +
         " }"
         " initializer { name: 'shape' dims: 2 data_type: 7 int64_data: [0, -1] }"
         " node { name: 'conv' op_type: 'Conv' input: ['x', 'w', 'b'] output: 'c'"
         "   attribute { name: 'strides' type: INTS ints: [2, 2] } attribute { name: 'pads' type: INTS ints: [1, 1, 1, "
         "1] }"
         "   attribute { name: 'group' type: INT i: 1 } }"
         " node { name: 'bn' op_type: 'BatchNormalization' input: ['c', 's', 'b', 'm', 'v'] output: 'n'"
         "   attribute { name: 'epsilon' type: FLOAT f: 0.001 } }"
         " node { op_type: 'Relu' input: 'n' output: 'r' } node { op_type: 'Add' input: ['r', 'c'] output: 'a' }"
         " node { op_type: 'Reshape' input: ['a', 'shape'] output: 'flat' }"
         " node { op_type: 'Gemm' input: ['flat', 'f'] output: 'y' attribute { name: 'transB' type: INT i: 1 } }";
}

std::string quantized() {
  return input("x", {"1", "4", "6", "6"}) + output("y", {"1", "2", "6", "6"}) + raw("scale", "", 1, 4) +
         raw("zero", "", 3, 1) + raw("w", "2, 4, 1, 1", 3, 8) + raw("ws", "2", 1, 8) + raw("wz", "2", 3, 2) +
         raw("w4", "2, 2, 1, 1", 22, 2) + raw("w4s", "2", 1, 8) + raw("w4z", "2", 22, 1) +
         " node { op_type: 'QuantizeLinear' input: ['x', 'scale', 'zero'] output: 'q' }"
         " node { op_type: 'DequantizeLinear' input: ['q', 'scale', 'zero'] output: 'dq' }"
         " node { op_type: 'DequantizeLinear' input: ['w', 'ws', 'wz'] output: 'wf' attribute { name: 'axis' type: INT "
         "i: 0 } }"
         " node { op_type: 'Conv' input: ['dq', 'wf'] output: 'c' }"
         " node { op_type: 'DequantizeLinear' input: ['w4', 'w4s', 'w4z'] output: 'w4f' attribute { name: 'axis' type: "
         "INT i: 0 } }"
         " node { op_type: 'Conv' input: ['c', 'w4f'] output: 'y' attribute { name: 'kernel_shape' type: INTS ints: "
         "[1, 1] } }";
}

// Operators on codes, of both domains, and what moves their codes.
std::string qlinear() {
  return input("x", {"1", "4", "6", "6"}) + output("y", {"1", "2", "6", "6"}) + raw("scale", "", 1, 4) +
         raw("zero", "", 3, 1) + raw("w", "2, 4, 1, 1", 3, 8) + raw("ws", "2", 1, 8) + raw("wz", "2", 3, 2) +
         raw("b", "2", 6, 8) +
         " node { op_type: 'QuantizeLinear' input: ['x', 'scale', 'zero'] output: 'q' }"
         " node { op_type: 'MaxPool' input: 'q' output: 'p' attribute { name: 'kernel_shape' type: INTS ints: [1, 1] } "
         "}"
         " node { op_type: 'QLinearConv' input: ['p', 'scale', 'zero', 'w', 'ws', 'wz', 'scale', 'zero', 'b']"
         "   output: 'c' }"
         " node { op_type: 'QLinearAdd' domain: 'com.microsoft' output: 's'"
         "   input: ['c', 'scale', 'zero', 'c', 'scale', 'zero', 'scale', 'zero'] }"
         " node { op_type: 'DequantizeLinear' input: ['s', 'scale', 'zero'] output: 'y' }";
}

std::string dynamic() {
  return input("x", {"2", "4"}) + output("y", {"2", "3"}) + raw("w", "4, 3", 3, 12) + raw("ws", "3", 1, 12) +
         raw("wz", "3", 3, 3) +
         " node { op_type: 'DynamicQuantizeLinear' input: 'x' output: ['q', 's', 'z'] }"
         " node { op_type: 'MatMulInteger' input: ['q', 'w', 'z', 'wz'] output: 'i' }"
         " node { op_type: 'Cast' input: 'i' output: 'r' attribute { name: 'to' type: INT i: 1 } }"
         " node { op_type: 'Mul' input: ['s', 'ws'] output: 'm' }"
         " node { op_type: 'Mul' input: ['r', 'm'] output: 'y' }";
}

std::string external() {
  const auto at = [](const std::string& name, int offset) {
    return " initializer { name: '" + name +
           "' dims: [8, 16] data_type: 1 data_location: EXTERNAL"
           " external_data { key: 'location' value: 'weights' } external_data { key: 'offset' value: '" +
           std::to_string(offset) + "' } external_data { key: 'length' value: '512' } }";
  };
  return input("x", {"N", "16"}) + output("y", {"N", "8"}) + at("a", 0) + at("b", 4096) +
         " node { op_type: 'Add' input: ['a', 'b'] output: 'w' }"
         " node { op_type: 'Gemm' input: ['x', 'w'] output: 'y' attribute { name: 'transB' type: INT i: 1 } }";
}

std::string subgraphs() {
  return input("x", {"2"}) + output("y", {"2"}) +
         " input { name: 'c' type { tensor_type { elem_type: 9 shape { } } } }"
         " input { name: 'list' type { sequence_type { elem_type { tensor_type { elem_type: 1 } } } } }"
         " node { op_type: 'Abs' input: 'x' output: 'h' }"
         " node { op_type: 'If' input: 'c' output: 'i'"
         "   attribute { name: 'then_branch' type: GRAPH g { name: 't' output { name: 't1' }"
         "     node { input: 'h' output: 't0' op_type: 'Relu' } node { input: ['t0', 'x'] output: 't1' op_type: 'Add' "
         "} } }"
         "   attribute { name: 'else_branch' type: GRAPH g { name: 'e' output { name: 'e1' }"
         "     initializer { name: 'k' dims: 2 data_type: 1 float_data: [1, 2] }"
         "     node { input: ['k', 'h'] output: 'e1' op_type: 'Mul' } } } }"
         " node { op_type: 'SequenceAt' input: ['list', 'n'] output: 'el' }"
         " node { op_type: 'Twice' domain: 'local' input: 'i' output: 'tw' }"
         " node { op_type: 'Add' input: ['tw', 'sp'] output: 'y' }"
         " initializer { name: 'n' data_type: 6 int32_data: 0 }"
         " sparse_initializer { dims: 2 values { name: 'sp' dims: 1 data_type: 1 raw_data: 'abcd' }"
         "   indices { dims: 1 data_type: 7 int64_data: 1 } }"
         " quantization_annotation { tensor_name: 'h' quant_parameter_tensor_names { key: 'k' value: 'n' } }";
}

std::string attributes_and_types() {
  return input("x", {"N", "T", "4"}) + output("y", {"N", "4", "T"}) +
         " node { op_type: 'Constant' output: 'k' attribute { name: 'value' type: TENSOR t { dims: 2 data_type: 10"
         "   int32_data: [15360, 48128] } } }"
         " node { op_type: 'Custom' domain: 'custom' input: ['x', 'k', ''] output: ['h', '']"
         "   attribute { name: 'fs' type: FLOATS floats: [1, 2] } attribute { name: 'ss' type: STRINGS strings: ['a', "
         "'b'] }"
         "   attribute { name: 's' type: STRING s: 'text' } attribute { name: 'tp' type: TYPE_PROTO tp { } }"
         "   attribute { name: 'r' ref_attr_name: 'alpha' type: INT } }"
         " node { op_type: 'Transpose' input: 'x' output: 'y' attribute { name: 'perm' type: INTS ints: [0, 2, 1] } }"
         " initializer { name: 'i4' dims: 3 data_type: 22 int32_data: [33, 3] }"
         " initializer { name: 'u64' dims: 2 data_type: 13 uint64_data: [1, 2] }"
         " initializer { name: 'f64' dims: 1 data_type: 11 double_data: 2 }"
         " initializer { name: 'text' dims: 2 data_type: 8 string_data: ['a', 'b'] }"
         " initializer { name: 'bool' dims: 2 data_type: 9 int32_data: [0, 1] }"
         " initializer { name: 'c64' dims: 1 data_type: 14 float_data: [0, 1] }"
         " initializer { name: 'future' dims: 1 data_type: 99 raw_data: 'what?' }";
}

// Bit planes, levels, channels of several widths, and activations between bounds.
std::string packed() {
  NetBuilder net;
  Rng rng(1);
  const auto weights = [&](const std::string& name, const QuantParams& params) {
    return net.constant(name, {4, 4}, random_floats(rng, 16, -1, 1), params);
  };
  const ValueId x = net.input("x", {2, 4}, per_tensor(DType::Int4, 0.5F, 0, -4, 3));
  const ValueId a = net.node("MatMul", {x, weights("a", {DType::Int4, -4, 3, {0.3F}, {0}, -1, 0})}, "y1");
  const ValueId b =
      net.node("MatMul", {a, weights("b", {DType::UInt4, 0, 4, {1}, {0}, -1, 0, {-1, -0.5F, 0, 1, 2}})}, "y2");
  const QuantParams widths = {DType::Int8, -127, 127, {0.1F, 0.2F, 0.3F, 0.4F}, {0, 0, 0, 0}, 1, 0, {}, {3, 0, 8, 3}};
  net.output(net.node("MatMul", {b, weights("c", widths)}, "y"));
  return onnx::serialize_model(insert_qdq(net.model));
}

// A convolutional, a recurrent, a shape-computing one ...: ops whose shape rules differ.
const char* const kNodeTests[] = {"test_conv_with_autopad_same",
                                  "test_convtranspose_pads",
                                  "test_maxpool_2d_dilations",
                                  "test_reshape_zero_dim",
                                  "test_slice_start_out_of_bounds",
                                  "test_resize_upsample_sizes_nearest_ceil_half_pixel",
                                  "test_pad",
                                  "test_einsum_batch_matmul",
                                  "test_split_variable_parts_1d",
                                  "test_gathernd_example_int32",
                                  "test_loop11",
                                  "test_scan9_sum",
                                  "test_range_float_type_positive_delta_expanded",
                                  "test_topk",
                                  "test_qlinearconv",
                                  "test_dynamicquantizelinear_expanded",
                                  "test_if_seq",
                                  "test_tile"};

}  // namespace

std::vector<SeedModel> seed_models() {
  const std::string domains =
      "opset_import { domain: 'local' version: 1 } opset_import { domain: 'custom' version: 1 }"
      " metadata_props { key: 'k' value: 'v' }";
  const std::string function =
      " functions { name: 'Twice' domain: 'local' input: 'a' output: 'b' opset_import { version: 17 }"
      "   node { input: ['a', 'a'] output: 'b' op_type: 'Add' } }";
  std::vector<SeedModel> seeds;
  const auto add = [&](const std::string& name, const std::string& graph, const std::string& beside = "") {
    seeds.push_back({name, model_from_text(graph, beside).SerializeAsString()});
  };
  add("classifier", classifier());
  add("quantized", quantized());
  add("qlinear", qlinear(), "opset_import { domain: 'com.microsoft' version: 1 }");
  add("dynamic", dynamic());
  add("external", external());
  add("subgraphs", subgraphs(), domains + function);
  add("attributes_and_types", attributes_and_types(), domains);
  seeds.push_back({"packed", packed()});
  for (const char* name : kNodeTests) {
    const auto path = onnx_node_tests() / name / "model.onnx";
    if (std::filesystem::exists(path)) seeds.push_back({name, read_file(path)});
  }
  return seeds;
}

}  // namespace halftone::test
