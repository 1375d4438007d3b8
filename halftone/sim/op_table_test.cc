// The interpreter and the op table know the same operators.
#include "halftone/graph/op_table.h"

#include <gtest/gtest.h>

#include <set>

#include "halftone/sim/interpreter.h"

namespace halftone::sim::op_table_test {
namespace {

Node node_of(std::string_view op) {
  Node node;
  node.op_type = op;
  return node;
}

TEST(OpTable, EveryShapeRuleHasAFunction) {
  for (const OpRow& row : all_ops()) EXPECT_NE(find_function(node_of(row.name)), nullptr) << row.name;
}

TEST(OpTable, EveryFunctionHasAShapeRule) {
  const char* const functions[] = {
#define HT_SIM_OP(name, function) #name,
#include "halftone/sim/ops.def"
#undef HT_SIM_OP
  };
  std::set<std::string> seen;
  for (const char* name : functions) {
    EXPECT_NE(find_op(node_of(name)), nullptr) << name;
    EXPECT_TRUE(seen.insert(name).second) << name << " is listed twice";
  }
}

TEST(OpTable, OtherDomainsHaveNoFunctions) {
  Node node = node_of("Relu");
  node.domain = "com.example";
  EXPECT_EQ(find_function(node), nullptr);
}

}  // namespace
}  // namespace halftone::sim::op_table_test
