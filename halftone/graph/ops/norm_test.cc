#include <gtest/gtest.h>

#include "tests/support/test_graph.h"

namespace halftone::norm_test {
namespace {

using namespace test;

TEST(NormalizationRules, CheckChannels) {
  const TensorType x = typed({"N", 6, 5});
  const TensorType c = typed({6});
  EXPECT_EQ(infer("BatchNormalization", {x, c, c, c, c}), "float[N, 6, 5]");
  EXPECT_EQ(infer("BatchNormalization", {x, c, c, c, c}, {{"training_mode", number(1)}}, 15, 3),
            "float[N, 6, 5]; float[6]; float[6]");
  EXPECT_EQ(infer("BatchNormalization", {x, c, c, c, c}, {}, 9, 5),
            "float[N, 6, 5]; float[6]; float[6]; float[6]; float[6]");
  EXPECT_CONTAINS(infer("BatchNormalization", {x, c, typed({5}), c, c}), "input 2 and the channels");
  EXPECT_EQ(infer("LayerNormalization", {x, c}, {{"axis", number(1)}}, 17, 3),
            "float[N, 6, 5]; float[N, 1, 1]; float[N, 1, 1]");
  EXPECT_EQ(infer("Softmax", {typed({4})}, {}, 7), "float[4]");
  EXPECT_CONTAINS(infer("Softmax", {typed({4})}, {{"axis", number(1)}}), "[-1, 1)");
  EXPECT_CONTAINS(infer("GroupNormalization", {x, c, c}, {{"num_groups", number(4)}}, 21),
                  "must divide the 6 channels");
}

}  // namespace
}  // namespace halftone::norm_test
