#include <gtest/gtest.h>

#include "tests/support/test_graph.h"

namespace halftone::einsum_test {
namespace {

using namespace test;

TEST(EinsumRule, ParsesEquations) {
  const auto einsum = [](const std::string& equation, const std::vector<Operand>& operands) {
    return infer("Einsum", operands, {{"equation", word(equation)}});
  };
  EXPECT_EQ(einsum("ij, jk -> ik", {typed({2, 3}), typed({3, 4})}), "float[2, 4]");
  EXPECT_EQ(einsum("...ii->...i", {typed({"N", 3, 3})}), "float[N, 3]");
  EXPECT_EQ(einsum("ba", {typed({2, 3})}), "float[3, 2]") << "implicit results are in alphabetical order";
  EXPECT_EQ(einsum("ij,jk", {typed({2, 3}), typed({3, 4})}), "float[2, 4]");
  EXPECT_EQ(einsum("ij->", {typed({2, 3})}), "float[]");
  EXPECT_EQ(einsum("...ij,...jk->...ik", {typed({5, 2, 3}), typed({7, 1, 3, 4})}), "float[7, 5, 2, 4]");
  EXPECT_CONTAINS(einsum("ij,jk->ik", {typed({2, 3}), typed({4, 4})}), "shapes must broadcast");
  EXPECT_CONTAINS(einsum("ij->ik", {typed({2, 3})}), "index 'k' must occur in a term");
  EXPECT_CONTAINS(einsum("ij,jk->ik", {typed({2, 3})}), "has 2 terms for 1 inputs");
  EXPECT_CONTAINS(einsum("ijk->i", {typed({2, 3})}), "input 0 must have rank 3");
  EXPECT_CONTAINS(einsum("i.j->i", {typed({2, 3})}), "found '.'");
}

}  // namespace
}  // namespace halftone::einsum_test
