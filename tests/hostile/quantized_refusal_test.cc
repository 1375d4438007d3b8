// Quantized files that must be refused while they become encodings, and the words that must say why: Q/DQ nodes,
// operators on codes, and products on grids found at run time.
#include <gtest/gtest.h>

#include <map>
#include <ostream>

#include "halftone/graph/op_table.h"
#include "halftone/onnx/onnx.h"
#include "halftone/quant/integer_plan.h"
#include "halftone/transform/fold_qdq.h"
#include "tests/support/onnx_text.h"

namespace halftone {
namespace {

// The inside of graph { }, in parts that a case replaces by name.
using Parts = std::map<std::string, std::string>;

std::string initializer(const std::string& name, const std::string& dims, int type, const std::string& content) {
  return "initializer { name: '" + name + "' dims: " + dims + " data_type: " + std::to_string(type) + " " + content +
         " }";
}
std::string floats(const std::string& name, const std::string& dims, const std::string& numbers) {
  return initializer(name, dims, 1, "float_data: [" + numbers + "]");
}
constexpr int kUInt8 = 2, kInt8 = 3, kInt32 = 6, kFloat16 = 10, kUInt4 = 21, kInt4 = 22;
std::string codes(const std::string& name, const std::string& dims, int type, const std::string& numbers) {
  return initializer(name, dims, type, "int32_data: [" + numbers + "]");
}
std::string node(const std::string& op, const std::string& inputs, const std::string& outputs,
                 const std::string& attributes = "", const std::string& domain = "") {
  std::string text = "node { op_type: '" + op + "' name: 'the_" + op + "' domain: '" + domain + "'";
  for (const auto& [field, list] : {std::pair("input", inputs), std::pair("output", outputs)}) {
    for (size_t begin = 0; begin <= list.size();) {
      const size_t end = std::min(list.find(' ', begin), list.size());
      const std::string name = list.substr(begin, end - begin);
      text += std::string(" ") + field + ": '" + (name == "-" ? "" : name) + "'";
      begin = end + 1;
    }
  }
  return text + " " + attributes + " }";
}
std::string integer(const std::string& name, int value) {
  return "attribute { name: '" + name + "' type: INT i: " + std::to_string(value) + " }";
}

// x [2, 4] times w [4, 3]; keys sort nodes after what they read.
Parts common() {
  return {{"0x", "input { " + test::float_type("x", {"2", "4"}) + " }"},
          {"0y", "output { name: 'y' type { tensor_type { elem_type: 1 } } }"},
          {"x_scale", floats("x_scale", "[]", "0.1")},
          {"x_zero", codes("x_zero", "[]", kUInt8, "3")},
          {"w", codes("w", "[4, 3]", kInt8, "1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12")},
          {"w_scale", floats("w_scale", "3", "0.1, 0.2, 0.3")},
          {"w_zero", codes("w_zero", "3", kInt8, "0, 1, 2")},
          {"y_scale", floats("y_scale", "[]", "0.1")},
          {"y_zero", codes("y_zero", "[]", kUInt8, "3")}};
}
Parts with(Parts parts, const Parts& changes) {
  for (const auto& [name, text] : changes) parts[name] = text;
  return parts;
}
Parts qdq(const Parts& changes = {}) {
  return with(with(common(), {{"z1", node("QuantizeLinear", "x x_scale x_zero", "x_codes")},
                              {"z2", node("DequantizeLinear", "x_codes x_scale x_zero", "x_real")},
                              {"z3", node("DequantizeLinear", "w w_scale w_zero", "w_real", integer("axis", 1))},
                              {"z4", node("MatMul", "x_real w_real", "y")}}),
              changes);
}
Parts qlinear(const Parts& changes = {}) {
  return with(with(common(),
                   {{"z1", node("QuantizeLinear", "x x_scale x_zero", "x_codes")},
                    {"z2", node("QLinearMatMul", "x_codes x_scale x_zero w w_scale w_zero y_scale y_zero", "y_codes")},
                    {"z3", node("DequantizeLinear", "y_codes y_scale y_zero", "y")}}),
              changes);
}
// The same of ONNX Runtime's own domain, whose operators have no shape rules.
Parts qgemm(const Parts& changes = {}) {
  return with(qlinear({{"z2", node("QGemm", "x_codes x_scale x_zero w w_scale w_zero b y_scale y_zero", "y_codes", "",
                                   "com.microsoft")},
                       {"b", codes("b", "3", kInt32, "1, 2, 3")}}),
              changes);
}
Parts dynamic(const Parts& changes = {}) {
  return with(with(common(), {{"z1", node("DynamicQuantizeLinear", "x", "x_codes s z")},
                              {"z2", node("MatMulInteger", "x_codes w z w_zero", "sums")},
                              {"z3", node("Cast", "sums", "real", integer("to", 1))},
                              {"z4", node("Mul", "s w_scale", "steps") + node("Mul", "real steps", "y")}}),
              changes);
}
// 4-bit weights in blocks along axis 0; files hold two codes per number.
Parts blocks(const Parts& changes = {}) {
  const std::string attributes = integer("axis", 0) + integer("block_size", 2);
  return with(qdq({{"w", codes("w", "[4, 3]", kInt4, "33, 67, 101, 135, 15, 33")},
                   {"w_scale", floats("w_scale", "[2, 3]", "0.1, 0.2, 0.3, 0.4, 0.5, 0.6")},
                   {"w_zero", codes("w_zero", "[2, 3]", kInt4, "16, 2, 0")},
                   {"z3", node("DequantizeLinear", "w w_scale w_zero", "w_real", attributes)}}),
              changes);
}

std::string bytes_of(const Parts& parts) {
  std::string graph;
  for (const auto& [name, text] : parts) graph += text + " ";
  const std::string header =
      "ir_version: 10 opset_import { domain: '' version: 21 } opset_import { domain: 'com.microsoft' version: 1 }";
  return test::from_text(header + " graph { name: 'g' " + graph + " }").SerializeAsString();
}

void load(const std::string& bytes) {
  Graph graph = onnx::import_model(test::as_span(bytes));
  verify(graph);
  infer_shapes(graph);
  plan_integers(fold_qdq(std::move(graph)));
}

struct Case {
  std::string name;
  Parts parts;
  std::vector<std::string> words;  // each must stand in the message
};

void PrintTo(const Case& refused, std::ostream* out) { *out << refused.name; }

// Every scale of every form, with each number that is none.
void add_scales(std::vector<Case>& cases) {
  const std::map<std::string, std::string> numbers = {
      {"nan", "nan"}, {"zero", "0"}, {"negative", "-0.5"}, {"denormal", "1e-40"}, {"infinite", "inf"}};
  const std::vector<std::string> rule = {"positive, finite and normal"};
  for (const auto& entry : numbers) {
    // Lambdas capture variables, not structured bindings.
    const std::string &word = entry.first, &number = entry.second;
    const std::string x_scale = floats("x_scale", "[]", number), y_scale = floats("y_scale", "[]", number);
    const std::string w_scale = floats("w_scale", "3", "0.1, 0.2, " + number);
    const auto add = [&](const std::string& form, const Parts& parts, const std::string& where,
                         const std::string& value) {
      cases.push_back({form + "_" + word, parts, {where, "'" + value + "'", rule[0]}});
    };
    add("quantize", qdq({{"x_scale", x_scale}}), "QuantizeLinear 'the_QuantizeLinear'", "x_scale");
    add("dequantize", qdq({{"w_scale", w_scale}}), "DequantizeLinear 'the_DequantizeLinear'", "w_scale");
    add("qlinear_weights", qlinear({{"w_scale", w_scale}}), "QLinearMatMul 'the_QLinearMatMul'", "w_scale");
    add("qlinear_result", qlinear({{"y_scale", y_scale}}), "QLinearMatMul 'the_QLinearMatMul'", "y_scale");
    add("qgemm_weights", qgemm({{"w_scale", w_scale}}), "QGemm 'the_QGemm'", "w_scale");
    add("qgemm_result", qgemm({{"y_scale", y_scale}}), "QGemm 'the_QGemm'", "y_scale");
    add("dynamic", dynamic({{"w_scale", w_scale}}), "MatMulInteger 'the_MatMulInteger'", "w_scale");
    add("block", blocks({{"w_scale", floats("w_scale", "[2, 3]", "0.1, 0.2, 0.3, 0.4, 0.5, " + number)}}),
        "DequantizeLinear 'the_DequantizeLinear'", "w_scale");
  }
  cases.back().words.push_back("index 5");
}

std::vector<Case> refused() {
  std::vector<Case> cases = {
      // --- scales that are missing or no floats
      {"quantize_scale_left_out",
       qdq({{"z1", node("QuantizeLinear", "x - x_zero", "x_codes")}}),
       {"QuantizeLinear 'the_QuantizeLinear'", "input 1", "left out"}},
      {"dequantize_without_scale",
       qdq({{"z3", node("DequantizeLinear", "w", "w_real")}}),
       {"DequantizeLinear 'the_DequantizeLinear'", "requires 2 to 3 inputs, found 1"}},
      {"qlinear_scale_left_out",
       qlinear({{"z2", node("QLinearMatMul", "x_codes x_scale x_zero w - w_zero y_scale y_zero", "y_codes")}}),
       {"QLinearMatMul 'the_QLinearMatMul'", "left out"}},
      {"qgemm_scale_left_out",
       qgemm({{"z2",
               node("QGemm", "x_codes x_scale x_zero w - w_zero b y_scale y_zero", "y_codes", "", "com.microsoft")}}),
       {"QGemm 'the_QGemm'", "a scale is required"}},
      {"qgemm_cut_short",
       qgemm({{"z2", node("QGemm", "x_codes x_scale x_zero w", "y_codes", "", "com.microsoft")}}),
       {"QGemm 'the_QGemm'", "found 4 inputs"}},
      {"qgemm_operand_left_out",
       qgemm({{"z2", node("QGemm", "x_codes x_scale x_zero - w_scale w_zero b y_scale y_zero", "y_codes", "",
                          "com.microsoft")}}),
       {"QGemm 'the_QGemm'", "operand 1", "left out"}},
      {"scale_of_integers",
       qdq({{"w_scale", codes("w_scale", "3", kInt32, "1, 2, 3")}}),
       {"DequantizeLinear 'the_DequantizeLinear'", "scale must be float, found int32"}},
      {"qgemm_scale_of_integers",
       qgemm({{"w_scale", codes("w_scale", "3", kInt32, "1, 2, 3")}}),
       {"QGemm 'the_QGemm'", "'w_scale'", "must be float, found int32"}},
      {"scale_of_nothing", qdq({{"w_scale", floats("w_scale", "0", "")}}), {"DequantizeLinear 'the_DequantizeLinear'"}},

      // --- zero points
      {"zero_point_of_other_sign",
       qdq({{"x_zero", codes("x_zero", "[]", kInt8, "3")},
            {"z2", node("DequantizeLinear", "x_codes x_scale y_zero", "x_real")}}),
       {"DequantizeLinear 'the_DequantizeLinear'"}},
      {"zero_point_of_32_bits",
       qdq({{"w_zero", codes("w_zero", "3", kInt32, "0, 1, 2")}}),
       {"DequantizeLinear 'the_DequantizeLinear'", "int8", "int32"}},
      {"zero_point_of_floats",
       qdq({{"w_zero", floats("w_zero", "3", "0, 1, 2")}}),
       {"DequantizeLinear 'the_DequantizeLinear'", "int8", "float"}},
      {"qlinear_zero_point_of_32_bits",
       qlinear({{"w_zero", codes("w_zero", "3", kInt32, "0, 1, 2")}}),
       {"QLinearMatMul 'the_QLinearMatMul'", "int8", "int32"}},
      {"qgemm_zero_point_of_other_sign",
       qgemm({{"w_zero", codes("w_zero", "3", kUInt8, "0, 1, 2")}}),
       {"QGemm 'the_QGemm'", "'w_zero'", "must be int8 like its codes, found uint8"}},
      {"qgemm_result_of_32_bits",
       qgemm(
           {{"y_zero", codes("y_zero", "[]", kInt32, "3")}, {"z3", node("DequantizeLinear", "y_codes y_scale", "y")}}),
       {"QGemm 'the_QGemm'", "codes of 8 bits", "int32"}},
      {"qgemm_bias_of_8_bits",
       qgemm({{"b", codes("b", "3", kInt8, "1, 2, 3")}}),
       {"QGemm 'the_QGemm'", "bias 'b' must be int32, found int8"}},
      {"dynamic_zero_point_of_other_sign",
       dynamic({{"w_zero", codes("w_zero", "3", kUInt8, "0, 1, 2")}}),
       {"MatMulInteger 'the_MatMulInteger'", "int8", "uint8"}},
      {"zero_point_above_its_type", qdq({{"x_zero", codes("x_zero", "[]", kUInt8, "300")}}), {"'x_zero'", "300"}},
      {"zero_point_below_its_type",
       qlinear({{"w_zero", codes("w_zero", "3", kInt8, "0, -129, 0")}}),
       {"'w_zero'", "-129"}},
      {"zero_points_of_4_bits_above_a_byte",
       blocks({{"w_zero", codes("w_zero", "[2, 3]", kInt4, "0, 256, 0")}}),
       {"'w_zero'", "256"}},

      // --- lengths
      {"scales_for_another_axis",
       qdq({{"w_scale", floats("w_scale", "4", "1, 1, 1, 1")}, {"w_zero", codes("w_zero", "4", kInt8, "0, 0, 0, 0")}}),
       {"DequantizeLinear 'the_DequantizeLinear'", "axis 1", "3", "4"}},
      {"more_zero_points_than_scales",
       qdq({{"w_zero", codes("w_zero", "4", kInt8, "0, 0, 0, 0")}}),
       {"DequantizeLinear 'the_DequantizeLinear'", "same shape"}},
      {"axis_outside",
       qdq({{"z3", node("DequantizeLinear", "w w_scale w_zero", "w_real", integer("axis", 2))}}),
       {"DequantizeLinear 'the_DequantizeLinear'", "axis"}},
      {"qlinear_scales_too_many",
       qlinear(
           {{"w_scale", floats("w_scale", "4", "1, 1, 1, 1")}, {"w_zero", codes("w_zero", "4", kInt8, "0, 0, 0, 0")}}),
       {"QLinearMatMul 'the_QLinearMatMul'", "3", "4"}},
      {"qgemm_scales_too_few",
       qgemm({{"w_scale", floats("w_scale", "2", "1, 1")}, {"w_zero", codes("w_zero", "2", kInt8, "0, 0")}}),
       {"QGemm 'the_QGemm'", "requires 3 scales", "found 2"}},
      {"qgemm_zero_points_too_few",
       qgemm({{"w_zero", codes("w_zero", "2", kInt8, "0, 0")}}),
       {"QGemm 'the_QGemm'", "as many zero points as scales", "'w_zero'", "'w_scale'"}},
      {"dynamic_zero_points_too_few",
       dynamic({{"w_zero", codes("w_zero", "2", kInt8, "0, 0")}}),
       {"MatMulInteger 'the_MatMulInteger'"}},

      // --- types of less than a byte, blocks
      {"odd_4_bits_in_too_few_bytes",
       blocks({{"extra", initializer("extra", "5", kInt4, "raw_data: 'ab'")}}),
       {"'extra'", "requires 3 bytes, found 2"}},
      {"odd_4_bits_in_too_many_bytes",
       blocks({{"extra", initializer("extra", "5", kUInt4, "raw_data: 'abcd'")}}),
       {"'extra'", "requires 3 bytes, found 4"}},
      {"block_size_that_does_not_divide",
       blocks({{"z3", node("DequantizeLinear", "w w_scale w_zero", "w_real",
                           integer("axis", 0) + integer("block_size", 3) + integer("x", 1))},
               {"w_scale", floats("w_scale", "[1, 3]", "0.1, 0.2, 0.3")},
               {"w_zero", codes("w_zero", "[1, 3]", kInt4, "16, 2")}}),
       {"DequantizeLinear 'the_DequantizeLinear'", "blocks of axis 0", "2"}},
      {"block_size_that_is_negative",
       blocks({{"z3", node("DequantizeLinear", "w w_scale w_zero", "w_real",
                           integer("axis", 0) + integer("block_size", -2))}}),
       {"DequantizeLinear 'the_DequantizeLinear'", "block_size", "-2"}},
      {"blocks_along_another_axis",
       blocks({{"z3", node("DequantizeLinear", "w w_scale w_zero", "w_real",
                           integer("axis", 1) + integer("block_size", 2))}}),
       {"DequantizeLinear 'the_DequantizeLinear'", "the scales must be equal, found 2 and 4"}},
      {"blocks_with_a_list_of_scales",
       blocks({{"w_scale", floats("w_scale", "2", "0.1, 0.2")}, {"w_zero", codes("w_zero", "2", kInt4, "0")}}),
       {"DequantizeLinear 'the_DequantizeLinear'", "rank"}},
  };
  add_scales(cases);
  return cases;
}

class RefusedQuantized : public testing::TestWithParam<Case> {};

TEST_P(RefusedQuantized, SaysWhatIsWrongAndWhere) {
  try {
    load(bytes_of(GetParam().parts));
    ADD_FAILURE() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::InvalidModel);
    const std::string message = error.what();
    for (const std::string& word : GetParam().words) EXPECT_NE(message.find(word), std::string::npos) << message;
    EXPECT_EQ(message.find('\n'), std::string::npos);
  }
}

INSTANTIATE_TEST_SUITE_P(Hostile, RefusedQuantized, testing::ValuesIn(refused()),
                         [](const auto& test) { return test.param.name; });

TEST(AcceptedQuantized, TheModelsThatTheCasesDamage) {
  for (const Parts& parts : {qdq(), qlinear(), qgemm(), dynamic(), blocks()}) EXPECT_NO_THROW(load(bytes_of(parts)));
  // An odd number of 4-bit codes, a last block that is shorter, and scales of half precision, which stay nodes.
  EXPECT_NO_THROW(load(bytes_of(blocks({{"extra", initializer("extra", "5", kInt4, "raw_data: 'abc'")}}))));
  EXPECT_NO_THROW(load(bytes_of(blocks({{"z3", node("DequantizeLinear", "w w_scale w_zero", "w_real",
                                                    integer("axis", 0) + integer("block_size", 3))}}))));
  EXPECT_NO_THROW(load(bytes_of(qdq({{"x_scale", initializer("x_scale", "[]", kFloat16, "int32_data: 11878")},
                                     {"z4", node("MatMul", "x_half w_real", "y")},
                                     {"z35", node("Cast", "x_real", "x_half", integer("to", 1))},
                                     {"z0", node("Cast", "x", "half", integer("to", kFloat16))},
                                     {"z1", node("QuantizeLinear", "half x_scale x_zero", "x_codes")}}))));
}

}  // namespace
}  // namespace halftone
