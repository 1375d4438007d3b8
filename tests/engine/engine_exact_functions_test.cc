// Functions of one operand on codes, one node each.
#include <gtest/gtest.h>

#include "tests/engine/node_case.h"

namespace halftone::test {
namespace {

std::vector<Case> functions() {
  return {
      {"SoftplusFourBits", "table",
       [](Net& n) {
         const ValueId x = n.in("x", {3, 7}, per_tensor(DType::Int4, 0.5F, 1, -8, 7));
         return n.node("Softplus", {x}, "y", per_tensor(DType::UInt4, 0.25F, 0, 0, 15));
       }},
      {"EluNarrow", "table",
       [](Net& n) {
         const ValueId x = n.in("x", {1, 6, 4, 4}, per_tensor(DType::Int8, 0.05F, 0, -127, 127));
         return n.node("Elu", {x}, "y", per_tensor(DType::Int8, 0.05F, -120, -127, 127));
       }},
      {"TanhSixteenBits", "reference",
       [](Net& n) {
         const ValueId x = n.in("x", {5, 7}, per_tensor(DType::Int16, 2e-4F, 100, -32768, 32767));
         return n.node("Tanh", {x}, "y", per_tensor(DType::UInt16, 3e-5F, 30000, 0, 65535));
       }},
      {"TanhWithAbsorbedClip", "table",
       [](Net& n) {
         const ValueId tanh = n.node("Tanh", {n.image()}, "tanh");
         return n.node("Clip", {tanh, n.scalar("lo", -0.5F), n.scalar("hi", 0.7F)}, "y", int8_grid(0.01F, 3));
       }},
      {"ConstantMinus", "table",
       [](Net& n) {
         return n.y("Sub", {n.constant("c", {1, 1}, {0.77F}), n.image()});
       }},
      {"ConstantOnAGridMinus", "table",
       [](Net& n) {
         return n.y("Sub", {n.constant("c", {}, {0.77F}, int8_grid(0.5F)), n.image()});
       }},
      {"DivByConstant", "table",
       [](Net& n) {
         return n.y("Div", {n.image(), n.scalar("c", -1.7F)});
       }},
      {"DivOfConstant", "table",
       [](Net& n) {
         return n.y("Div", {n.scalar("c", 0.3F), n.image()});
       }},
      {"LogOfNegatives", "table", [](Net& n) { return n.y("Log", {n.image()}); }},
      {"PowInt64", "table",
       [](Net& n) {
         return n.y("Pow", {n.image({9}), n.integers("e", {3})});
       }},
      {"PReluOneSlope", "table",
       [](Net& n) {
         return n.y("PRelu", {n.image(), n.constant("c", {1, 1, 1}, {-0.3F})});
       }},
      {"MaxOfTwoConstants", "table",
       [](Net& n) {
         return n.y("Max", {n.scalar("a", -0.4F), n.image(), n.scalar("b", 0.2F)});
       }},
      {"Negation", "table", [](Net& n) { return n.y("Neg", {n.image({})}); }},
  };
}

class ExactFunctions : public testing::TestWithParam<Case> {};
TEST_P(ExactFunctions, GiveTheInterpretersCodes) { expect_exact_node(GetParam()); }
INSTANTIATE_TEST_SUITE_P(Functions, ExactFunctions, testing::ValuesIn(functions()), name_of_case);

}  // namespace
}  // namespace halftone::test
